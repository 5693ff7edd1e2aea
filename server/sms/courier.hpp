// The courier of SMS: texts by template, to the hook of a provider.
#pragma once

#include <string>

#include "mail/templates.hpp"
#include "sms/hook.hpp"

namespace rampart::server::sms {

struct SmsOptions {
    HookOptions hook;
    std::string product;  // {{product}} in every template
    mail::Templates templates;
};

class SmsCourier : public outbox::Courier {
  public:
    explicit SmsCourier(SmsOptions options);

    // {"type": "sms-code", "to": "+12025550123", "text": "..."}
    outbox::Outcome Deliver(const outbox::Message& message, const std::function<bool()>& hand_over,
                            const std::stop_token& stop) override;
    std::chrono::milliseconds patience() const override {
        return options_.hook.connection.total_timeout;
    }

  private:
    const SmsOptions options_;
    Hook hook_;
};

}  // namespace rampart::server::sms
