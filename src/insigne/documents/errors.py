"""Why a document cannot be handled."""


class DocumentError(ValueError):
    """A document, or what it was asked to bear, is refused.

    `rule` is a stable code; the text names what is wrong and the remedy, `message_fr` says the same in French. Neither
    quotes the content of the document.
    """

    def __init__(self, rule: str, message: str, message_fr: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message_fr = message_fr
