"""The examples of guides, to be run as readers find them."""
import os
import re

GUIDES = os.path.join(os.path.dirname(os.path.realpath(__file__)), os.pardir, os.pardir, "docs", "guides")


def examples(guide, language):
    """A guide's blocks in a language, one text."""
    with open(os.path.join(GUIDES, guide)) as f:
        return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", f.read(), re.S | re.M))
