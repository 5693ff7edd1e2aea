#include "pg/policy/json_value.hpp"

#include <cmath>

#include "error.hpp"
#include "pg/boundary.hpp"
#include "policy/limits.hpp"

extern "C" {
#include "utils/builtins.h"
#include "utils/numeric.h"
}

namespace rampart::pg::policy {
namespace {

namespace core = rampart::policy;

double NumberAt(const char* at) {
    const double number = Call([&] {
        return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, PointerGetDatum(at)));
    });
    if (std::isinf(number))
        throw Error(errc::kMalformedRequest, "a number in a request is too large");
    return number;
}

// Arrays and objects as the server lays them out: see utils/jsonb.h.
class Container {
  public:
    Container(JsonbContainer* container, unsigned depth)
        : container_(container),
          count_(JsonContainerSize(container)),
          data_(reinterpret_cast<char*>(&container->children[count_ * (is_object() ? 2 : 1)])),
          depth_(depth) {
        core::RequireWithin(depth, core::kMaxJsonNesting, "the nesting of JSON in a request");
    }

    bool is_object() const { return JsonContainerIsObject(container_); }

    core::Value Read() const {
        if (is_object()) return ReadObject();
        if (JsonContainerIsScalar(container_)) return Element(0);
        core::Value::List items;
        items.reserve(count_);
        for (std::uint32_t i = 0; i < count_; ++i) items.push_back(Element(i));
        return core::Value(std::move(items));
    }

  private:
    // All names, then all values.
    core::Value ReadObject() const {
        core::Value::Object members;
        members.reserve(count_);
        for (std::uint32_t i = 0; i < count_; ++i)
            members.emplace_back(TextAt(i), Element(count_ + i));
        return core::Value::Of(std::move(members));
    }

    const char* At(std::uint32_t index) const {
        return data_ + getJsonbOffset(container_, static_cast<int>(index));
    }
    const char* AlignedAt(std::uint32_t index) const {
        return data_ + INTALIGN(getJsonbOffset(container_, static_cast<int>(index)));
    }
    std::string TextAt(std::uint32_t index) const {
        return {At(index), getJsonbLength(container_, static_cast<int>(index))};
    }

    core::Value Element(std::uint32_t index) const {
        const JEntry entry = container_->children[index];
        if (JBE_ISSTRING(entry)) return core::Value(TextAt(index));
        if (JBE_ISNUMERIC(entry)) return core::Value(NumberAt(AlignedAt(index)));
        if (JBE_ISBOOL(entry)) return core::Value(static_cast<bool>(JBE_ISBOOL_TRUE(entry)));
        if (JBE_ISNULL(entry)) return {};
        auto* inner = reinterpret_cast<JsonbContainer*>(const_cast<char*>(AlignedAt(index)));
        return Container(inner, depth_ + 1).Read();
    }

    JsonbContainer* container_;
    std::uint32_t count_;
    const char* data_;
    unsigned depth_;
};

}  // namespace

core::Value ValueOf(Jsonb* json) {
    core::RequireWithin(VARSIZE(json), core::kMaxJsonText, "the JSON of a request");
    return Container(&json->root, 0).Read();
}

}  // namespace rampart::pg::policy
