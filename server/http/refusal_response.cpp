#include "http/refusal_response.hpp"

#include "crypto/random.hpp"
#include "http/problem.hpp"

namespace rampart::server::http {
namespace {

std::string_view Reason(int status) {
    switch (status) {
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 408:
            return "Request Timeout";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 431:
            return "Request Header Fields Too Large";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "";
    }
}

std::string Response(int status, const std::string& headers, bool keep_alive,
                     std::string_view body) {
    std::string response = "HTTP/1.1 " + std::to_string(status) + ' ';
    response += Reason(status);
    response += "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n";
    if (!keep_alive) response += "Connection: close\r\n";
    response += "\r\n";
    response += body;
    return response;
}

}  // namespace

std::string RandomTraceId() {
    std::uint8_t bytes[16];
    RandomBytes(bytes);
    return HexOf(bytes);
}

std::string RefusalResponse(const Refusal& refusal, const std::string& trace_id, bool keep_alive) {
    const Problem problem(refusal.code, std::string(refusal.detail));
    std::string headers = "Content-Type: " + std::string(kProblemType) +
                          "\r\n"
                          "Cache-Control: no-store\r\n"
                          "X-Content-Type-Options: nosniff\r\n";
    if (problem.status() == 503) headers += "Retry-After: 1\r\n";
    return Response(problem.status(), headers, keep_alive, problem.Body(trace_id).dump());
}

std::string RedirectResponse(std::string_view origin, std::string_view target) {
    std::string headers = "Location: ";
    headers += origin;
    headers += target;
    headers += "\r\n";
    return Response(308, headers, false, {});
}

}  // namespace rampart::server::http
