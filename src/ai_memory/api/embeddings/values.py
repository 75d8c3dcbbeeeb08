"""The routes' requests and answers, with the fields of the two services that they are compatible with."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

MAX_INPUTS = 2048
MAX_TOTAL_TOKENS = 300_000
"""Of one request, unless its texts may be split into windows: OpenAI's limits."""

TokenId: TypeAlias = Annotated[int, Meta(ge=0)]
Input: TypeAlias = str | list[str | TokenId | list[TokenId]]
"""One text, several texts, the token ids of one text, or the token ids of several."""
Name: TypeAlias = Annotated[str, Meta(max_length=256)]
Dimension: TypeAlias = Annotated[int, Meta(ge=0, le=65_536)]
InputType = Literal["query", "document", "search_query", "search_document", "passage", "classification", "clustering"]
Direction: TypeAlias = Annotated[
    Literal["Right", "Left"],
    Meta(
        description="`Right`: the end is cut. `Left` is refused.",
        extra={"normal": lambda given, _: given.capitalize()},  # `right` and `left` are their other names there
    ),
]
TooLongName = Literal["error", "truncate", "windows"]


class Nothing(Struct, frozen=True, kw_only=True):
    """No fields."""


class EmbeddingsRequest(Struct, frozen=True, kw_only=True):
    """Texts to embed, with OpenAI's fields and a few more that choose the prompt."""

    input: Annotated[
        Input, Meta(description="One text, up to 2,048 texts, or, with `tokenizer`, token ids of the model's own.")
    ]
    model: Annotated[
        Name,
        Meta(
            description="A model of `/v1/models`; `NAME:query` chooses a prompt. Empty, or one of OpenAI's names such as "
            "text-embedding-3-small: the loaded model."
        ),
    ] = ""
    tokenizer: Annotated[
        Name | None,
        Meta(
            description="Required with token ids: the model whose tokenizer they are from. Ids of another one, such as tiktoken's, "
            "mean other words, so they are refused."
        ),
    ] = None
    dimensions: Annotated[
        Dimension | None,
        Meta(description="Length of the vectors, one of the model's; they are cut and normalized."),
    ] = None
    encoding_format: Annotated[
        Literal["float", "base64"], Meta(description="`base64` is little-endian float32, a quarter of the size.")
    ] = "float"
    user: Annotated[Name | None, Meta(description="Accepted and ignored.")] = None
    input_type: Annotated[
        InputType | None, Meta(description="`query` or `document`, or another service's name for it.")
    ] = None
    task: Annotated[
        Name | None, Meta(description="The task that the texts are queries for, or `document`, or `none`.")
    ] = None
    prompt_name: Annotated[
        Name | None, Meta(description="The same by the prompt's name in sentence-transformers, such as `STS`.")
    ] = None
    titles: Annotated[list[str | None] | None, Meta(description="Titles of documents: one per text, or null.")] = None
    truncate: Annotated[
        bool | None, Meta(description="Whether a text that is too long is truncated. Default: false.")
    ] = None
    too_long: Annotated[
        TooLongName | None,
        Meta(description="The same with a third choice: the mean over windows of the whole text."),
    ] = None


class Embedding(Struct, frozen=True, kw_only=True):
    """The vector of one text."""

    object: Literal["embedding"]
    index: int
    """The text's index in the request, from 0."""
    embedding: list[float] | str
    """Of length 1; base64 of little-endian float32 where that was requested."""


class EmbeddingsUsage(Struct, frozen=True, kw_only=True):
    """Tokens that the model read: including special tokens and prompts, without what was cut."""

    prompt_tokens: int
    total_tokens: int
    tokens: list[int]
    """The same for each text."""
    truncated: list[int]
    """For each text, the number of tokens that were cut."""


class Embeddings(Struct, frozen=True, kw_only=True):
    """One vector per text, in order."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: EmbeddingsUsage


class ModelCard(Struct, frozen=True, kw_only=True):
    """A name that a request may give as its model."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "local"


class ModelCards(Struct, frozen=True, kw_only=True):
    """The model that is loaded, and the same with each suffix that chooses a prompt."""

    data: list[ModelCard]
    object: Literal["list"] = "list"


class ModelRequest(Struct, frozen=True, kw_only=True):
    """One of the names of `/v1/models`."""

    model: Annotated[Name, Meta(description="The name, with or without a suffix.")]


class EmbedRequest(Struct, frozen=True, kw_only=True):
    """Texts to embed, with the fields of text-embeddings-inference. Without `prompt_name` no prompt is added, as there."""

    inputs: Annotated[Input, Meta(description="One text, up to 2,048 texts, or token ids of the model's vocabulary.")]
    truncate: Annotated[
        bool, Meta(description="Whether a text that is too long is truncated; else it is an error.")
    ] = True
    truncation_direction: Direction = "Right"
    prompt_name: Annotated[
        Name | None, Meta(description="Such as `query`, `document`, `STS`, or the name of a task.")
    ] = None
    normalize: Annotated[bool, Meta(description="Vectors are always of length 1; `false` is refused.")] = True
    dimensions: Annotated[Dimension | None, Meta(description="Length of the vectors, one of the model's.")] = None


class TokenizeRequest(Struct, frozen=True, kw_only=True):
    """Texts to tokenize."""

    inputs: Annotated[str | list[str], Meta(description="One text, or up to 2,048.")]
    add_special_tokens: Annotated[bool, Meta(description="Whether the model's special tokens are added.")] = True
    prompt_name: Annotated[Name | None, Meta(description="The prompt to add before each text.")] = None


class Token(Struct, frozen=True, kw_only=True):
    """One token of a text."""

    id: int
    text: str
    """The part of the text that it covers; for a special token, its name."""
    special: bool
    start: int | None
    """First character in the text, prompt included; null for a special token."""
    stop: int | None


class DecodeRequest(Struct, frozen=True, kw_only=True):
    """Token ids to turn into texts."""

    ids: Annotated[list[TokenId | list[TokenId]], Meta(description="The ids of one text, or of up to 2,048.")]
    skip_special_tokens: Annotated[bool, Meta(description="Whether the model's special tokens are omitted.")] = True


class SimilarityInputs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text, and the texts that it is compared with."""

    source_sentence: str
    sentences: Annotated[list[str], Meta(description="Up to 2,048.")]


class SimilarityParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As in `/embed`."""

    truncate: bool = True
    truncation_direction: Direction = "Right"
    prompt_name: Name | None = None


class SimilarityRequest(Struct, frozen=True, kw_only=True):
    """The similarity of a text to others: the cosine of their vectors. Without `prompt_name` no prompt is added."""

    inputs: SimilarityInputs
    parameters: Annotated[SimilarityParameters | None, Meta(description="As the fields of `/embed`.")] = None


class RootRequest(EmbedRequest, frozen=True, kw_only=True):
    """What Hugging Face's InferenceClient sends to its plain address: texts as in `/embed`, or a comparison as in `/similarity`."""

    inputs: Annotated[  # type: ignore[assignment]  # wider than there
        Input | SimilarityInputs, Meta(description="As in `/embed`, or an object as in `/similarity`.")
    ]
    parameters: Annotated[SimilarityParameters | None, Meta(description="Of a comparison, as in `/similarity`.")] = None


class EngineIdentity(Struct, frozen=True, kw_only=True):
    """Everything that determines a vector."""

    model: str
    revision: str
    prompts: str
    dtype: str
    dimension: int


class ModelType(Struct, frozen=True, kw_only=True):
    """What the model does."""

    embedding: dict[str, str]


class EngineInfo(Struct, frozen=True, kw_only=True):
    """The served model, with the fields of text-embeddings-inference and three more."""

    model_id: str
    model_sha: str
    model_dtype: str
    served_model_name: str
    model_type: ModelType
    max_concurrent_requests: int
    max_input_length: int
    """Tokens of one text, special tokens and prompt included."""
    max_batch_tokens: int | None
    """Of one forward pass; null until the model has been loaded."""
    max_batch_requests: int | None
    max_client_batch_size: int
    auto_truncate: bool
    tokenization_workers: int
    version: str
    sha: str | None
    docker_label: str | None
    identity: EngineIdentity
    dimensions: list[int]
    """The possible values of `dimensions`, the model's full one first."""
    prompt_names: list[str]
    """The possible values of `prompt_name`, `task` and a model's suffix."""


class EngineHealth(Struct, frozen=True, kw_only=True):
    """Texts can be embedded."""

    healthy: bool
    model: str


class OllamaEmbedRequest(Struct, frozen=True, kw_only=True):
    """Texts to embed, with Ollama's fields. No prompt is added, as there, unless the model's name has a suffix for one."""

    input: Annotated[str | list[str], Meta(description="One text, or up to 2,048.")]
    model: Annotated[
        Name, Meta(description="A model of `/api/tags`, or Ollama's name of it; `NAME:query` chooses a prompt.")
    ] = ""
    truncate: Annotated[
        bool, Meta(description="Whether a text that is too long is truncated; else it is an error.")
    ] = True
    dimensions: Annotated[Dimension | None, Meta(description="Length of the vectors, one of the model's.")] = None
    options: Annotated[dict[str, Any] | None, Meta(description="Accepted and ignored.")] = None
    keep_alive: Annotated[str | float | None, Meta(description="Accepted and ignored: the model stays loaded.")] = None


class OllamaEmbeddings(Struct, frozen=True, kw_only=True):
    """One vector per text, in order."""

    model: str
    embeddings: list[list[float]]
    total_duration: int
    """Nanoseconds."""
    load_duration: int
    prompt_eval_count: int
    """Tokens that the model read."""


class OllamaPromptRequest(Struct, frozen=True, kw_only=True):
    """One text to embed, with the fields of Ollama's older route. A text that is too long is truncated."""

    prompt: Annotated[str, Meta(description="The text.")] = ""
    model: Annotated[Name, Meta(description="As in `/api/embed`.")] = ""
    options: Annotated[dict[str, Any] | None, Meta(description="Accepted and ignored.")] = None
    keep_alive: Annotated[str | float | None, Meta(description="Accepted and ignored: the model stays loaded.")] = None


class OllamaEmbedding(Struct, frozen=True, kw_only=True):
    """The vector of the text."""

    embedding: list[float]


class OllamaModel(Struct, frozen=True, kw_only=True):
    """A model that a request may name."""

    name: str
    model: str
    digest: str
    """The revision of its files."""
    size: int
    """Always 0: not measured."""
    details: dict[str, str]


class OllamaModels(Struct, frozen=True, kw_only=True):
    """The model that is loaded."""

    models: list[OllamaModel]


class RerankDocument(Struct, frozen=True, kw_only=True):
    """A text to compare with the query; other fields are ignored."""

    text: str


class RerankRequest(Struct, frozen=True, kw_only=True):
    """Texts to order by how well they answer a query, with the fields of Cohere and Jina."""

    query: Annotated[str, Meta(description="The question.")]
    documents: Annotated[
        list[str | RerankDocument], Meta(description="Up to 1,000 texts, or objects with `text`.", max_length=1_000)
    ]
    model: Annotated[
        Name, Meta(description="Empty, a name of the loaded model, or one of Cohere's, such as rerank-v3.5.")
    ] = ""
    top_n: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(description="Only the best so many. Default: all.")] = None
    return_documents: Annotated[bool, Meta(description="Whether the results repeat the texts.")] = False
    max_tokens_per_doc: Annotated[
        int | None, Meta(description="Accepted and ignored: a text is read as far as the model reads.")
    ] = None
    max_chunks_per_doc: Annotated[int | None, Meta(description="Accepted and ignored.")] = None
    truncation: Annotated[bool | None, Meta(description="Accepted and ignored.")] = None


class RerankResult(Struct, frozen=True, kw_only=True):
    """One of the texts."""

    index: int
    """Its index in the request, from 0."""
    relevance_score: float
    """From 0 to 1: the mean, over the query's words without its function words, of the greatest cosine with a token of the text."""
    document: RerankDocument | None


class RerankUsage(Struct, frozen=True, kw_only=True):
    """Tokens that the model read, without special tokens."""

    total_tokens: int


class RerankResults(Struct, frozen=True, kw_only=True):
    """The texts, best first."""

    id: str
    model: str
    results: list[RerankResult]
    usage: RerankUsage


class TeiRerankRequest(Struct, frozen=True, kw_only=True):
    """Texts to order by how well they answer a query, with the fields of text-embeddings-inference."""

    query: Annotated[str, Meta(description="The question.")]
    texts: Annotated[list[str], Meta(description="Up to 1,000.", max_length=1_000)]
    raw_scores: Annotated[bool, Meta(description="Whether scores are cosines, from -1; else they are from 0 to 1.")] = (
        False
    )
    return_text: Annotated[bool, Meta(description="Whether the results repeat the texts.")] = False
    truncate: Annotated[bool, Meta(description="Accepted and ignored: a text is read as far as the model reads.")] = (
        True
    )
    truncation_direction: Direction = "Right"


class TeiRank(Struct, frozen=True, kw_only=True):
    """One of the texts."""

    index: int
    """Its index in the request, from 0."""
    score: float
    text: str | None
