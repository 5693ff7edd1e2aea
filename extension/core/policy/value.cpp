#include "policy/value.hpp"

#include <algorithm>

namespace rampart::policy {

Value Value::Of(Object members) {
    const auto by_name = [](const Member& a, const Member& b) { return a.first < b.first; };
    Value value;
    const auto out_of_order = [&](const Member& a, const Member& b) { return !by_name(a, b); };
    if (std::ranges::adjacent_find(members, out_of_order) == members.end()) {
        value.data_ = std::move(members);
        return value;
    }
    std::stable_sort(members.begin(), members.end(), by_name);
    Object unique;
    for (Member& member : members) {
        if (!unique.empty() && unique.back().first == member.first) unique.pop_back();
        unique.push_back(std::move(member));
    }
    value.data_ = std::move(unique);
    return value;
}

const Value* Value::Find(std::string_view name) const {
    const auto* members = As<Object>();
    if (members == nullptr) return nullptr;
    const auto found = std::lower_bound(
        members->begin(), members->end(), name,
        [](const Member& member, std::string_view wanted) { return member.first < wanted; });
    return found != members->end() && found->first == name ? &found->second : nullptr;
}

const char* KindName(Kind kind) {
    constexpr const char* kNames[] = {"null", "bool", "number", "string", "list", "object"};
    return kNames[static_cast<std::size_t>(kind)];
}

ValueView::ValueView(const Value& value) {
    if (const auto* boolean = value.As<bool>()) {
        *this = ValueView(*boolean);
    } else if (const auto* number = value.As<double>()) {
        *this = ValueView(*number);
    } else if (const auto* text = value.As<std::string>()) {
        *this = ValueView(std::string_view(*text));
    } else if (value.As<Value::List>() != nullptr || value.As<Value::Object>() != nullptr) {
        kind_ = value.As<Value::List>() != nullptr ? Kind::kList : Kind::kObject;
        value_ = &value;
    }
}

bool ValueView::operator==(const ValueView& other) const {
    if (kind_ != other.kind_) return false;
    switch (kind_) {
        case Kind::kNull:
            return true;
        case Kind::kBool:
            return bool_ == other.bool_;
        case Kind::kNumber:
            return number_ == other.number_;
        case Kind::kString:
            return string() == other.string();
        case Kind::kList:
        case Kind::kObject:
            return *value_ == *other.value_;
    }
    return false;
}

}  // namespace rampart::policy
