#include "http/router.hpp"

namespace rampart::server::http {
namespace {

// Takes the segment that a path begins with, and its slash.
std::string_view TakeSegment(std::string_view& path) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

bool IsParameter(std::string_view segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
    for (const Route& route : routes_) {
        Node* node = &root_;
        for (std::string_view path = route.path; !path.empty();) {
            const std::string_view segment = TakeSegment(path);
            std::unique_ptr<Node>& next =
                IsParameter(segment) ? node->parameter : node->literals[std::string(segment)];
            if (next == nullptr) next = std::make_unique<Node>();
            node = next.get();
        }
        node->methods[route.method] = &route;
    }
}

const Router::Node* Router::Walk(const Node& node, std::string_view path,
                                 std::vector<std::string>& values) const {
    if (path.empty()) return node.methods.empty() ? nullptr : &node;
    const std::string_view segment = TakeSegment(path);
    if (const auto next = node.literals.find(segment); next != node.literals.end()) {
        if (const Node* found = Walk(*next->second, path, values)) return found;
    }
    if (node.parameter == nullptr || segment.empty()) return nullptr;
    values.emplace_back(segment);
    if (const Node* found = Walk(*node.parameter, path, values)) return found;
    values.pop_back();
    return nullptr;
}

Router::Match Router::Find(const std::string& method, std::string_view path) const {
    std::vector<std::string> values;
    const Node* node = path.starts_with('/') ? Walk(root_, path, values) : nullptr;
    if (node == nullptr) return {};
    Match match;
    const auto found = node->methods.find(method);
    if (found == node->methods.end()) {
        for (const auto& [allowed, route] : node->methods)
            match.allowed += (match.allowed.empty() ? "" : ", ") + allowed;
        return match;
    }
    match.route = found->second;
    std::size_t next = 0;
    for (std::string_view pattern = match.route->path; !pattern.empty();) {
        const std::string_view segment = TakeSegment(pattern);
        if (IsParameter(segment))
            match.path[std::string(segment.substr(1, segment.size() - 2))] = values[next++];
    }
    return match;
}

}  // namespace rampart::server::http
