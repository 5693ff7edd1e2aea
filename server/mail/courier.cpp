#include "mail/courier.hpp"

#include <utility>

#include "mail/message.hpp"

namespace rampart::server::mail {

MailCourier::MailCourier(MailOptions options)
    : options_(std::move(options)), smtp_(options_.smtp) {}

Outcome MailCourier::Deliver(const outbox::Message& message, const std::function<bool()>& hand_over,
                             const std::stop_token& stop) {
    Values values = message.values;
    values["product"] = options_.product;
    RenderedText text = options_.templates.Render(message.template_name, values);
    const std::string composed = Compose({.from = options_.from,
                                          .to = message.recipient,
                                          .subject = std::move(text.subject),
                                          .body = std::move(text.body),
                                          .id = message.id,
                                          .date = message.queued_at});
    return smtp_.Send(options_.from.address, message.recipient, composed, hand_over, stop);
}

}  // namespace rampart::server::mail
