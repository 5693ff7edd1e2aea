#include "config/setting_value.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "utf8.hpp"

namespace rampart::server {
namespace {

[[noreturn]] void Refuse(const Setting& setting, const std::string& reason) {
    throw ConfigurationError(setting.name + ": " + reason);
}

int ToInteger(const Setting& setting, std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) Refuse(setting, "not an integer");
    return value;
}

// "5/900s": five requests in 900 seconds; also m and h.
Rate ToRate(const Setting& setting, std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos || text.size() < slash + 3) {
        Refuse(setting, "a rate is REQUESTS/TIME, as in 5/15m");
    }
    int unit = 0;
    switch (text.back()) {
        case 's':
            unit = 1;
            break;
        case 'm':
            unit = 60;
            break;
        case 'h':
            unit = 3600;
            break;
        default:
            Refuse(setting, "the time of a rate ends with s, m or h");
    }
    const int count = ToInteger(setting, text.substr(slash + 1, text.size() - slash - 2));
    const Rate rate{ToInteger(setting, text.substr(0, slash)), count <= 86400 ? count * unit : 0};
    if (rate.requests < 1 || rate.requests > 1'000'000 || rate.seconds < 1 ||
        rate.seconds > 86400) {
        Refuse(setting, "a rate is 1 to 1000000 requests in one second to one day");
    }
    return rate;
}

std::vector<std::string> Split(std::string_view text) {
    std::vector<std::string> parts;
    std::istringstream stream{std::string(text)};
    for (std::string part; std::getline(stream, part, ',');) {
        const std::size_t first = part.find_first_not_of(' ');
        if (first == std::string::npos) continue;
        parts.push_back(part.substr(first, part.find_last_not_of(' ') - first + 1));
    }
    return parts;
}

// Of UTF-8, without control characters: nothing that could end a line of a log, header or mail.
bool IsLine(std::string_view text) {
    return EachCodePoint(text, [](char32_t c) { return c >= 0x20 && c != 0x7f; });
}

struct FromText {
    const Setting& setting;
    std::string_view text;

    void operator()(std::string* target) const {
        if (!IsLine(text)) Refuse(setting, "is one line of text");
        *target = text;
    }
    void operator()(const IntegerSetting& target) const {
        const int value = ToInteger(setting, text);
        if (value < target.least || value > target.most) {
            Refuse(setting, "has to be from " + std::to_string(target.least) + " to " +
                                std::to_string(target.most));
        }
        *target.value = value;
    }
    void operator()(bool* target) const {
        if (text != "true" && text != "false") Refuse(setting, "has to be true or false");
        *target = text == "true";
    }
    void operator()(std::vector<std::string>* target) const {
        if (!IsLine(text)) Refuse(setting, "is one line of text");
        *target = Split(text);
    }
    void operator()(Rate* target) const { *target = ToRate(setting, text); }
    void operator()(const ChoiceSetting& target) const {
        if (std::find(target.choices.begin(), target.choices.end(), text) == target.choices.end()) {
            std::string choices;
            for (const std::string& choice : target.choices) {
                choices += (choices.empty() ? "" : ", ") + choice;
            }
            Refuse(setting, "has to be one of " + choices);
        }
        *target.value = text;
    }
};

struct ToJson {
    nlohmann::json operator()(const std::string* value) const { return *value; }
    nlohmann::json operator()(const IntegerSetting& value) const { return *value.value; }
    nlohmann::json operator()(const bool* value) const { return *value; }
    nlohmann::json operator()(const std::vector<std::string>* value) const { return *value; }
    nlohmann::json operator()(const Rate* rate) const {
        return std::to_string(rate->requests) + '/' + std::to_string(rate->seconds) + 's';
    }
    nlohmann::json operator()(const ChoiceSetting& value) const { return *value.value; }
};

}  // namespace

void Assign(const Setting& setting, std::string_view text) {
    std::visit(FromText{setting, text}, setting.target);
}

nlohmann::json JsonOf(const Setting& setting) { return std::visit(ToJson{}, setting.target); }

std::string TextOfJson(const nlohmann::json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_array()) return value.dump();
    std::string text;
    for (const nlohmann::json& item : value) text += item.get<std::string>() + ',';
    return text;
}

}  // namespace rampart::server
