// Values of requests: JSON's kinds. Value owns one; ValueView is what evaluation passes around.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rampart::policy {

class Value {
  public:
    using List = std::vector<Value>;
    using Member = std::pair<std::string, Value>;
    using Object = std::vector<Member>;  // sorted by name, each name once

    Value() = default;
    explicit Value(bool value) : data_(value) {}
    explicit Value(double value) : data_(value) {}
    explicit Value(std::string value) : data_(std::move(value)) {}
    explicit Value(List value) : data_(std::move(value)) {}
    static Value Of(Object members);  // of two members of one name the later counts

    template <typename T>
    const T* As() const {
        return std::get_if<T>(&data_);
    }
    // Nothing unless this is an object that has the member.
    const Value* Find(std::string_view name) const;

    bool operator==(const Value&) const = default;

  private:
    std::variant<std::monostate, bool, double, std::string, List, Object> data_;
};

// Requests are read as Casbin reads them. Strict: a name stands once in an object, and a surrogate
// in a pair.
enum class JsonRules : std::uint8_t { kCasbin, kStrict };

// Reads one JSON value. Error RMP05 for what is none, RMP04 for what is too large or too deep.
Value ParseJson(std::string_view text, JsonRules rules = JsonRules::kCasbin);

enum class Kind : std::uint8_t { kNull, kBool, kNumber, kString, kList, kObject };
const char* KindName(Kind kind);

// A value that something else owns, as long as that lives.
class ValueView {
  public:
    ValueView() = default;
    explicit ValueView(bool value) : kind_(Kind::kBool), bool_(value) {}
    explicit ValueView(double value) : kind_(Kind::kNumber), number_(value) {}
    explicit ValueView(std::string_view value)
        : kind_(Kind::kString), text_(value.data()), size_(value.size()) {}
    explicit ValueView(const char* value) : ValueView(std::string_view(value)) {}
    explicit ValueView(const Value& value);

    Kind kind() const { return kind_; }
    bool boolean() const { return bool_; }
    double number() const { return number_; }
    std::string_view string() const { return {text_, size_}; }
    const Value& whole() const { return *value_; }  // of a list or an object

    // As Go's reflect.DeepEqual: values of two kinds are never equal.
    bool operator==(const ValueView& other) const;

  private:
    Kind kind_ = Kind::kNull;
    union {
        bool bool_;
        double number_;
        const char* text_;
        const Value* value_ = nullptr;
    };
    std::size_t size_ = 0;
};

}  // namespace rampart::policy
