#include "auth/password_policy.hpp"

#include <algorithm>
#include <cctype>

#include <zxcvbn.h>

#include "auth/password.hpp"
#include "utf8.hpp"

namespace rampart::server::auth {
namespace {

struct Class {
    bool (*contains)(unsigned char c);
    const char* fault;
};
// Letters beyond ASCII are neither; they count as special, as they do for keyboards' attackers.
constexpr Class kClasses[] = {
    {[](unsigned char c) { return std::isupper(c) != 0; }, "has no uppercase letter"},
    {[](unsigned char c) { return std::islower(c) != 0; }, "has no lowercase letter"},
    {[](unsigned char c) { return std::isdigit(c) != 0; }, "has no digit"},
    {[](unsigned char c) { return std::isalnum(c) == 0; }, "has no special character"},
};

std::string Lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

// Words that an attacker who knows the account tries first.
std::vector<std::string> OwnWords(const std::string& email, const std::string& name) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : Lower(email + " " + name) + " ") {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            word += c;
        } else {
            if (word.size() >= 3) words.push_back(word);
            word.clear();
        }
    }
    return words;
}

double Entropy(const std::string& password, const std::vector<std::string>& own_words) {
    std::vector<const char*> dictionary;
    for (const std::string& word : own_words) dictionary.push_back(word.c_str());
    dictionary.push_back(nullptr);
    // Quadratic in the length, and a hundred characters say what more would.
    return ZxcvbnMatch(password.substr(0, 100).c_str(), dictionary.data(), nullptr);
}

}  // namespace

std::vector<std::string> PasswordFaults(const std::string& password, const std::string& email,
                                        const std::string& name, const PasswordSettings& settings) {
    std::vector<std::string> faults;
    int length = 0;
    EachCodePoint(password, [&](char32_t) { return ++length > 0; });
    if (length < settings.min_length)
        faults.push_back("has fewer than " + std::to_string(settings.min_length) + " characters");
    if (settings.hash == "bcrypt" && password.size() > kBcryptMost)
        faults.emplace_back("has more than 72 bytes");
    if (settings.policy == "composition") {
        for (const Class& one : kClasses) {
            if (std::none_of(password.begin(), password.end(),
                             [&](char c) { return one.contains(static_cast<unsigned char>(c)); })) {
                faults.emplace_back(one.fault);
            }
        }
    }
    if (faults.empty() && Entropy(password, OwnWords(email, name)) < settings.min_entropy_bits) {
        faults.emplace_back("is too easy to guess");
    }
    return faults;
}

}  // namespace rampart::server::auth
