// RFC 8259, strictly: what Go's encoding/json refuses is refused here as well.
#include <charconv>

#include "policy/limits.hpp"
#include "policy/value.hpp"

namespace rampart::policy {
namespace {

class JsonReader {
  public:
    JsonReader(std::string_view text, JsonRules rules) : text_(text), rules_(rules) {}

    Value ReadAll() {
        Value value = Read(0);
        SkipSpace();
        if (position_ != text_.size()) Fail();
        return value;
    }

  private:
    [[noreturn]] void Fail() const {
        throw Error(errc::kMalformedRequest, "malformed JSON in a request",
                    "At character " + std::to_string(position_ + 1) + ".");
    }
    char Peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }
    void SkipSpace() {
        while (position_ < text_.size() &&
               std::string_view(" \t\r\n").find(Peek()) != std::string_view::npos) {
            ++position_;
        }
    }
    bool Take(char c) {
        SkipSpace();
        if (Peek() != c) return false;
        ++position_;
        return true;
    }
    bool TakeWord(std::string_view word) {
        if (!text_.substr(position_).starts_with(word)) return false;
        position_ += word.size();
        return true;
    }

    Value Read(unsigned depth) {
        RequireWithin(depth, kMaxJsonNesting, "the nesting of JSON in a request");
        SkipSpace();
        if (Take('{')) return ReadObject(depth + 1);
        if (Take('[')) return ReadList(depth + 1);
        if (Peek() == '"') return Value(ReadString());
        if (TakeWord("true")) return Value(true);
        if (TakeWord("false")) return Value(false);
        if (TakeWord("null")) return {};
        return Value(ReadNumber());
    }

    Value ReadObject(unsigned depth) {
        Value::Object members;
        if (Take('}')) return Value::Of({});
        do {
            SkipSpace();
            std::string name = ReadString();
            if (!Take(':')) Fail();
            members.emplace_back(std::move(name), Read(depth));
        } while (Take(','));
        if (!Take('}')) Fail();
        const std::size_t count = members.size();
        Value object = Value::Of(std::move(members));
        if (rules_ == JsonRules::kStrict && object.As<Value::Object>()->size() != count) Fail();
        return object;
    }

    Value ReadList(unsigned depth) {
        Value::List items;
        if (Take(']')) return Value(std::move(items));
        do {
            items.push_back(Read(depth));
        } while (Take(','));
        if (!Take(']')) Fail();
        return Value(std::move(items));
    }

    double ReadNumber() {
        const std::size_t start = position_;
        const auto digits = [&] {
            const std::size_t first = position_;
            while (Peek() >= '0' && Peek() <= '9') ++position_;
            if (position_ == first) Fail();
            return position_ - first;
        };
        if (Peek() == '-') ++position_;
        const bool leading_zero = Peek() == '0';
        if (digits() > 1 && leading_zero) Fail();
        if (Peek() == '.') {
            ++position_;
            digits();
        }
        if (Peek() == 'e' || Peek() == 'E') {
            ++position_;
            if (Peek() == '+' || Peek() == '-') ++position_;
            digits();
        }
        double number = 0;
        const char* end = text_.data() + position_;
        if (std::from_chars(text_.data() + start, end, number).ec != std::errc()) Fail();
        return number;
    }

    std::string ReadString() {
        if (Peek() != '"') Fail();
        ++position_;
        std::string out;
        while (true) {
            const char c = Peek();
            if (position_ >= text_.size() || static_cast<unsigned char>(c) < 0x20) Fail();
            ++position_;
            if (c == '"') return out;
            if (c == '\\') {
                ReadEscape(out);
            } else {
                out += c;
            }
        }
    }

    void ReadEscape(std::string& out) {
        constexpr std::string_view kFrom = "\"\\/bfnrt";
        constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
        const char c = Peek();
        if (position_ >= text_.size()) Fail();
        if (const std::size_t found = kFrom.find(c); found != kFrom.npos) {
            ++position_;
            out += kTo[found];
        } else if (c == 'u') {
            ++position_;
            AppendUtf8(ReadCodePoint(), out);
        } else {
            Fail();
        }
    }

    char32_t Unpaired() const {
        if (rules_ == JsonRules::kStrict) Fail();
        return 0xfffd;
    }

    char32_t ReadCodePoint() {
        const char32_t unit = ReadHex();
        if (unit < 0xd800 || unit > 0xdfff) return unit;
        if (unit > 0xdbff || !text_.substr(position_).starts_with("\\u")) return Unpaired();
        position_ += 2;
        const char32_t low = ReadHex();
        if (low < 0xdc00 || low > 0xdfff) return Unpaired();
        return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }

    char32_t ReadHex() {
        if (text_.size() - position_ < 4) Fail();
        unsigned value = 0;
        const char* first = text_.data() + position_;
        const auto read = std::from_chars(first, first + 4, value, 16);
        if (read.ec != std::errc() || read.ptr != first + 4) Fail();
        position_ += 4;
        return value;
    }

    static void AppendUtf8(char32_t c, std::string& out) {
        const auto byte = [&out](char32_t bits) { out += static_cast<char>(bits); };
        if (c < 0x80) {
            byte(c);
            return;
        }
        const int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
        constexpr char32_t kMarks[] = {0, 0xc0, 0xe0, 0xf0};
        byte(kMarks[tail] | (c >> (6 * tail)));
        for (int i = tail - 1; i >= 0; --i) byte(0x80 | ((c >> (6 * i)) & 0x3f));
    }

    std::string_view text_;
    JsonRules rules_;
    std::size_t position_ = 0;
};

}  // namespace

Value ParseJson(std::string_view text, JsonRules rules) {
    RequireWithin(text.size(), kMaxJsonText, "the JSON of a request");
    return JsonReader(text, rules).ReadAll();
}

}  // namespace rampart::policy
