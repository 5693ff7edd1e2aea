// The texts of mails and SMS: files with placeholders, those that come with the product or an
// operator's own.
//
// A template is `Subject: ...`, an empty line, and the text; that of an SMS is the text alone.
// `{{name}}` stands for a value that the flow gives; which ones a template may use, and which it
// must not leave out, is a table, so that a misspelt placeholder or a reset mail without its link
// is found before the first mail and not by its reader.
#pragma once

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rampart::server::mail {

using Values = std::map<std::string, std::string, std::less<>>;

struct RenderedText {
    std::string subject;  // empty for an SMS
    std::string body;
};

// What is wrong with templates, each problem with its file.
class TemplateError : public std::runtime_error {
  public:
    explicit TemplateError(std::vector<std::string> problems);
    const std::vector<std::string>& problems() const { return problems_; }

  private:
    std::vector<std::string> problems_;
};

class Templates {
  public:
    // Those that come with the product; where `directory` is not empty, its files NAME.txt replace
    // the ones of the same name. Throws TemplateError, with all problems at once.
    explicit Templates(const std::filesystem::path& directory = {});

    // Values become one line each, whatever their characters, and are cut where they are too long;
    // a `link` is taken as it is or not at all. With `minutes` comes `time`, the same in words.
    // Throws std::invalid_argument for a template that there is not, a value that is missing, or a
    // link that is none; never quotes a value.
    RenderedText Render(std::string_view name, const Values& values) const;

  private:
    struct Piece {
        bool placeholder;
        std::string text;  // a placeholder's name, or what stands as it is
    };
    using Pieces = std::vector<Piece>;
    struct Template {
        Pieces subject;
        Pieces body;
    };
    struct Specification;
    static const Specification kSpecifications[];
    static const Specification* Find(std::string_view name);

    void AddDirectory(const std::filesystem::path& directory, std::vector<std::string>& problems);
    void Add(const Specification& specification, std::string_view text, std::string_view source,
             std::vector<std::string>& problems);
    static Pieces Parse(std::string_view text);
    static std::string Fill(const Pieces& pieces, const Values& values);

    std::map<std::string, Template, std::less<>> templates_;
};

}  // namespace rampart::server::mail
