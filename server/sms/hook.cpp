#include "sms/hook.hpp"

#include <memory>
#include <new>

#include "sms/signature.hpp"

namespace rampart::server::sms {
namespace {

using outbox::Outcome;

constexpr std::size_t kMaxAnswer = 64UL * 1024;

// An answer is read, so that the connection can be kept, and forgotten; one that is too long is cut
// off.
std::size_t Discard(char*, std::size_t size, std::size_t count, void* read) noexcept {
    auto& so_far = *static_cast<std::size_t*>(read);
    so_far += size * count;
    return so_far > kMaxAnswer ? 0 : size * count;
}

// Called at least once a second; ends the transfer by returning something other than zero.
int OnProgress(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

class Headers {
  public:
    void Add(const std::string& line) {
        curl_slist* const longer = curl_slist_append(list_.get(), line.c_str());
        if (longer == nullptr) throw std::bad_alloc();
        (void)list_.release();  // the same list, or its first element
        list_.reset(longer);
    }
    curl_slist* get() const { return list_.get(); }

  private:
    std::unique_ptr<curl_slist, decltype([](curl_slist* l) { curl_slist_free_all(l); })> list_;
};

Outcome OutcomeOf(long status) {
    using Kind = Outcome::Kind;
    const std::string reason = "the hook said " + std::to_string(status);
    if (status >= 200 && status < 300) return {Kind::kSent, reason};
    // Of this message: it is malformed, or its number is none.
    if (status == 400 || status == 422) return {Kind::kRefused, reason};
    if (status == 429 || status >= 500) return {Kind::kDeferred, reason};
    // Of us: the signature, the URL. So would any other be refused; redirects are among these.
    return {Kind::kUnavailable, reason};
}

}  // namespace

Hook::Hook(const HookOptions& options) : curl_(options.connection), key_(options.key) {
    curl_.Set(CURLOPT_URL, options.url.c_str());
    curl_.Set(CURLOPT_PROTOCOLS_STR, options.url.starts_with("https:") ? "https" : "http");
    curl_.Set(CURLOPT_FOLLOWLOCATION, 0L);
    curl_.Set(CURLOPT_POST, 1L);
    curl_.Set(CURLOPT_WRITEFUNCTION, Discard);
    curl_.Set(CURLOPT_XFERINFOFUNCTION, OnProgress);
}

Outcome Hook::Post(const std::string& id, const std::string& body, const std::stop_token& stop) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string timestamp =
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count());
    Headers headers;
    headers.Add("Content-Type: application/json");
    headers.Add("User-Agent: rampartd");
    headers.Add("Expect:");
    headers.Add("webhook-id: " + id);
    headers.Add("webhook-timestamp: " + timestamp);
    headers.Add("webhook-signature: " + SignatureOf(key_, id, timestamp, body));
    std::size_t read = 0;
    curl_.Set(CURLOPT_HTTPHEADER, headers.get());
    curl_.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_.Set(CURLOPT_POSTFIELDS, body.c_str());
    curl_.Set(CURLOPT_WRITEDATA, &read);
    curl_.Set(CURLOPT_XFERINFODATA, &stop);
    const CURLcode result = curl_easy_perform(curl_.handle());
    curl_.Set(CURLOPT_HTTPHEADER, nullptr);
    curl_.Set(CURLOPT_POSTFIELDS, nullptr);
    if (result != CURLE_OK && read <= kMaxAnswer) {
        return {Outcome::Kind::kUnavailable, curl_easy_strerror(result)};
    }
    long status = 0;
    curl_easy_getinfo(curl_.handle(), CURLINFO_RESPONSE_CODE, &status);
    return OutcomeOf(status);
}

}  // namespace rampart::server::sms
