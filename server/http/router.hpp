// Finds the route of a method and path: by segments, a literal before a parameter.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/route.hpp"

namespace rampart::server::http {

class Router {
  public:
    // REQUIRES: CheckRoutes() has passed. Keeps the routes.
    explicit Router(std::vector<Route> routes);

    struct Match {
        const Route* route = nullptr;  // nothing of this path
        std::string allowed;           // methods of this path, where it is not for this one
        std::map<std::string, std::string> path;  // parameters
    };
    Match Find(const std::string& method, std::string_view path) const;

    const std::vector<Route>& routes() const { return routes_; }

  private:
    struct Node {
        std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
        std::unique_ptr<Node> parameter;
        std::map<std::string, const Route*> methods;
    };
    const Node* Walk(const Node& node, std::string_view path,
                     std::vector<std::string>& values) const;

    std::vector<Route> routes_;
    Node root_;
};

}  // namespace rampart::server::http
