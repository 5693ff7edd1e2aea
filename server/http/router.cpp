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

// HEAD is GET without the content of its answer (RFC 9110, 9.3.2), which the library leaves out.
std::string Allowed(const std::map<std::string, const Route*>& methods) {
    std::string list;
    for (const auto& [method, route] : methods) {
        list += (list.empty() ? "" : ", ") + method;
        if (method == "GET") list += ", HEAD";
    }
    return list;
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
    const auto found = node->methods.find(method == "HEAD" ? "GET" : method);
    if (found == node->methods.end()) {
        match.allowed = Allowed(node->methods);
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
