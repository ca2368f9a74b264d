"""Documents: from the text of one to the one operation that is to run."""

from collections import OrderedDict
from threading import Lock

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    TokenKind,
    parse,
)

from tasks_app.errors import ApiError, Code
from tasks_app.http.limits import MAX_BYTES, MAX_COMMENTS, MAX_TOKENS

# Texts of documents that are kept parsed. A syntax tree takes some hundred times its text.
KNOWN_CHARACTERS = 200_000
LONGEST_KNOWN = 20_000
TEXT_TOKENS = frozenset({TokenKind.STRING, TokenKind.BLOCK_STRING})


def parse_document(text: str) -> DocumentNode:
    """The document. Refuses text that is too long, is not GraphQL, or holds a NUL, which no column can store."""
    if len(text.encode()) > MAX_BYTES:
        raise ApiError(f"query: the document is longer than {MAX_BYTES:,} bytes.", code=Code.LIMIT_EXCEEDED)
    try:
        document = parse(text, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_COMMENTS)
    except GraphQLSyntaxError as error:
        raise _limit_reached(error) or error from None
    if "\0" in text or ("\\u" in text and _has_nul(document)):
        raise ApiError("query: the document has a NUL character in it; leave it out.")
    return document


class KnownDocuments:
    """Documents that were found valid, by their text; the longest unused are forgotten. Threads may share it.

    Only what has been checked gets in, and so only what callers who are signed in have asked.
    """

    def __init__(self) -> None:
        self._documents: OrderedDict[str, DocumentNode] = OrderedDict()
        self._characters = 0
        self._lock = Lock()

    def get(self, text: str) -> DocumentNode | None:
        """The document of exactly that text, if it is known."""
        with self._lock:
            document = self._documents.get(text)
            if document is not None:
                self._documents.move_to_end(text)
            return document

    def add(self, text: str, document: DocumentNode) -> None:
        """Makes it known, unless it is too long to be worth it."""
        if len(text) > LONGEST_KNOWN:
            return
        with self._lock:
            if text not in self._documents:
                self._characters += len(text)
            self._documents[text] = document
            while self._characters > KNOWN_CHARACTERS:
                forgotten, _ = self._documents.popitem(last=False)
                self._characters -= len(forgotten)


def pick_operation(document: DocumentNode, *, name: str | None) -> OperationDefinitionNode:
    """The operation of that name, or the only one if no name is given. Subscriptions are refused."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if not operations:
        raise ApiError("query: the document has no operation; write a query or a mutation.")
    operation = _named(operations, name) if name else _only(operations)
    if operation.operation is OperationType.SUBSCRIPTION:
        raise ApiError("query: subscriptions are not served here; ask again with a query.")
    return operation


def _named(operations: list[OperationDefinitionNode], name: str) -> OperationDefinitionNode:
    for operation in operations:
        if operation.name is not None and operation.name.value == name:
            return operation
    raise ApiError("operationName: the document has no operation of that name.")


def _only(operations: list[OperationDefinitionNode]) -> OperationDefinitionNode:
    if len(operations) > 1:
        raise ApiError(f"operationName: the document has {len(operations)} operations; name the one to run.")
    return operations[0]


def _limit_reached(error: GraphQLSyntaxError) -> GraphQLError | None:
    """graphql-core reports its own limits as syntax errors; only their text tells them apart."""
    if "aborted" not in error.message:
        return None
    message = (
        f"query: the document is nested too deeply or has more than {MAX_TOKENS:,} tokens"
        f" or {MAX_COMMENTS:,} comments; ask for less."
    )
    return GraphQLError(message, extensions={"code": Code.LIMIT_EXCEEDED})


def _has_nul(document: DocumentNode) -> bool:
    token = document.loc.start_token if document.loc else None
    while token is not None:
        if token.kind in TEXT_TOKENS and "\0" in (token.value or ""):
            return True
        token = token.next
    return False
