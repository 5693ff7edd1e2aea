// The transaction of one request. It begins with the first call, together with who the request is
// from and what it asks to do: rampart_auth.begin_request decides whether that may be, so that no
// call is made that the policy does not allow.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "db/pool.hpp"

namespace rampart::server::db {

class Transaction {
  public:
    // `begin`: arguments of rampart_auth.begin_request.
    Transaction(Pool& pool, Arguments begin) : pool_(pool), begin_(std::move(begin)) {}
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    // Calls rampart_auth.<function> and returns what it returned, null for NULL. Throws
    // http::Problem by db::ProblemOf, `unavailable` where the connection cannot be had or is lost.
    nlohmann::json Call(std::string_view function, const Arguments& arguments = {});

    // The last call: commits in the same round trip, unless KeepOpen() was called.
    nlohmann::json Finish(std::string_view function, const Arguments& arguments = {});

    // Nothing but begin_request.
    void Begin();
    void Commit();
    void KeepOpen() { keep_open_ = true; }

    // Further calls of the request's beginning, in front of its first one.
    void Before(Statement statement) { before_.push_back(std::move(statement)); }

    bool has_begun() const { return begun_; }
    // Of whom the request is, after it has begun; null: nobody.
    const nlohmann::json& claims() const { return claims_; }

    // The SQLSTATE of the error that a call threw as a Problem last.
    const std::string& sqlstate() const { return sqlstate_; }

  private:
    nlohmann::json Run(std::optional<Statement> call, bool commit);

    Pool& pool_;
    Arguments begin_;
    std::vector<Statement> before_;
    std::optional<Pool::Lease> lease_;
    nlohmann::json claims_;
    std::string sqlstate_;
    bool begun_ = false;
    bool open_ = false;
    bool keep_open_ = false;
};

}  // namespace rampart::server::db
