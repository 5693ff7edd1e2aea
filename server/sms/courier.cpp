#include "sms/courier.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace rampart::server::sms {

SmsCourier::SmsCourier(SmsOptions options) : options_(std::move(options)), hook_(options_.hook) {}

outbox::Outcome SmsCourier::Deliver(const outbox::Message& message, const std::function<bool()>&,
                                    const std::stop_token& stop) {
    mail::Values values = message.values;
    values["product"] = options_.product;
    std::string text = options_.templates.Render(message.template_name, values).body;
    text.erase(text.find_last_not_of('\n') + 1);
    const nlohmann::json body = {
        {"type", message.template_name}, {"to", message.recipient}, {"text", std::move(text)}};
    return hook_.Post(message.id, body.dump(), stop);
}

}  // namespace rampart::server::sms
