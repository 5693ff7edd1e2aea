// What a request is refused with: application/problem+json (RFC 9457) with a stable code. The codes
// are rows of one table, docs/reference/problems.md lists them for users, and a test holds the two
// together. Nothing that comes of a request stands in a problem but the names of its fields.
#pragma once

#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace rampart::server::http {

struct ProblemKind {
    std::string_view code;
    int status;
    std::string_view title;
};
std::span<const ProblemKind> ProblemKinds();

// What is wrong with one part of a body or query.
struct FieldError {
    std::string pointer;  // JSON pointer (RFC 6901)
    std::string detail;
};

class Problem : public std::exception {
  public:
    // REQUIRES: a code of the table.
    explicit Problem(std::string_view code, std::string detail = {});

    Problem& WithErrors(std::vector<FieldError> errors);
    Problem& RetryAfter(int seconds);
    Problem& Allow(std::string methods);

    int status() const { return kind_->status; }
    std::string_view code() const { return kind_->code; }
    const std::string& detail() const { return detail_; }
    std::optional<int> retry_after() const { return retry_after_; }
    const std::string& allow() const { return allow_; }
    const char* what() const noexcept override { return kind_->code.data(); }

    nlohmann::json Body(std::string_view trace_id) const;

  private:
    const ProblemKind* kind_;
    std::string detail_;
    std::vector<FieldError> errors_;
    std::optional<int> retry_after_;
    std::string allow_;
};

}  // namespace rampart::server::http
