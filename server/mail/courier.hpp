// The courier of mail: texts by template, over SMTP.
#pragma once

#include <string>

#include "mail/address.hpp"
#include "mail/smtp.hpp"
#include "mail/templates.hpp"
#include "outbox/courier.hpp"

namespace rampart::server::mail {

struct MailOptions {
    SmtpOptions smtp;
    Mailbox from;
    std::string product;  // {{product}} in every template
    Templates templates;
};

class MailCourier : public outbox::Courier {
  public:
    explicit MailCourier(MailOptions options);

    Outcome Deliver(const outbox::Message& message, const std::function<bool()>& hand_over,
                    const std::stop_token& stop) override;
    void Disconnect(const std::stop_token& stop) override { smtp_.Disconnect(stop); }
    std::chrono::milliseconds patience() const override {
        return options_.smtp.connection.total_timeout;
    }

  private:
    const MailOptions options_;
    SmtpClient smtp_;
};

}  // namespace rampart::server::mail
