"""What the routes take and give, in the fields of the two services whose clients call them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

MAX_INPUTS = 2048
MAX_TOTAL_TOKENS = 300_000
"""Of one request, where its texts may not be spread over windows: OpenAI's own limits."""

TokenId: TypeAlias = Annotated[int, Meta(ge=0)]
Input: TypeAlias = str | list[str | TokenId | list[TokenId]]
"""One text, texts, the token ids of one text, or the token ids of texts."""
Name: TypeAlias = Annotated[str, Meta(max_length=256)]
Dimension: TypeAlias = Annotated[int, Meta(ge=0, le=65_536)]
InputType = Literal["query", "document", "search_query", "search_document", "passage", "classification", "clustering"]
TooLongName = Literal["error", "truncate", "windows"]


class Nothing(Struct, frozen=True, kw_only=True):
    """No fields."""


class EmbeddingsRequest(Struct, frozen=True, kw_only=True):
    """Texts to embed, in the fields of OpenAI's client and a few more that say which prompt goes before them."""

    input: Annotated[
        Input, Meta(description="One text, up to 2,048 texts, or token ids of the model's own vocabulary.")
    ]
    model: Annotated[
        Name, Meta(description="A model of `/v1/models`; `NAME:query` chooses a prompt. Empty means the one there is.")
    ] = ""
    dimensions: Annotated[
        Dimension | None,
        Meta(description="Length of the vectors, one of the model's; they are cut and made unit length."),
    ] = None
    encoding_format: Annotated[
        Literal["float", "base64"], Meta(description="`base64` is little-endian float32, a quarter of the size.")
    ] = "float"
    user: Annotated[Name | None, Meta(description="Taken and not used.")] = None
    input_type: Annotated[InputType | None, Meta(description="`query` or `document`, in several services' words.")] = (
        None
    )
    task: Annotated[Name | None, Meta(description="What the texts are queries for, or `document`, or `none`.")] = None
    prompt_name: Annotated[
        Name | None, Meta(description="The same in sentence-transformers' words, such as `STS`.")
    ] = None
    titles: Annotated[list[str | None] | None, Meta(description="Titles of documents, one a text or null.")] = None
    truncate: Annotated[
        bool | None, Meta(description="Whether a text that is too long loses its end. Default: false.")
    ] = None
    too_long: Annotated[
        TooLongName | None,
        Meta(description="The same with a third way: windows of the whole text, whose mean is taken."),
    ] = None


class Embedding(Struct, frozen=True, kw_only=True):
    """The vector of one text."""

    object: Literal["embedding"]
    index: int
    """The text's place in the request, from 0."""
    embedding: list[float] | str
    """Of length 1; base64 of little-endian float32 where that was asked for."""


class EmbeddingsUsage(Struct, frozen=True, kw_only=True):
    """Tokens that the model read: special tokens and prompts included, what was cut left out."""

    prompt_tokens: int
    total_tokens: int
    tokens: list[int]
    """The same for each text."""
    truncated: list[int]
    """Of each text, the tokens that were cut."""


class Embeddings(Struct, frozen=True, kw_only=True):
    """One vector a text, in order."""

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
    """Texts to embed, in the fields of text-embeddings-inference. Without `prompt_name` no prompt goes before them, as there."""

    inputs: Annotated[
        Input, Meta(description="One text, up to 2,048 texts, or token ids of the model's own vocabulary.")
    ]
    truncate: Annotated[
        bool, Meta(description="Whether a text that is too long loses its end; else it is an error.")
    ] = True
    truncation_direction: Annotated[
        Literal["Right", "right", "Left", "left"], Meta(description="`Right`: the end is cut. `Left` is refused.")
    ] = "Right"
    prompt_name: Annotated[
        Name | None, Meta(description="Such as `query`, `document`, `STS`; also the names of our tasks.")
    ] = None
    normalize: Annotated[bool, Meta(description="Vectors are always of length 1; `false` is refused.")] = True
    dimensions: Annotated[Dimension | None, Meta(description="Length of the vectors, one of the model's.")] = None


class TokenizeRequest(Struct, frozen=True, kw_only=True):
    """Texts to take apart."""

    inputs: Annotated[str | list[str], Meta(description="One text, or up to 2,048.")]
    add_special_tokens: Annotated[bool, Meta(description="Whether the model's special tokens are added.")] = True
    prompt_name: Annotated[Name | None, Meta(description="The prompt that goes before each text.")] = None


class Token(Struct, frozen=True, kw_only=True):
    """One token of a text."""

    id: int
    text: str
    """The part of the text that it stands for; a special token's own name."""
    special: bool
    start: int | None
    """First character in the text, prompt included; null for a special token."""
    stop: int | None


class DecodeRequest(Struct, frozen=True, kw_only=True):
    """Token ids to put together."""

    ids: Annotated[list[TokenId | list[TokenId]], Meta(description="The ids of one text, or of up to 2,048.")]
    skip_special_tokens: Annotated[bool, Meta(description="Whether the model's special tokens are left out.")] = True


class SimilarityInputs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text, and those that it is compared with."""

    source_sentence: str
    sentences: Annotated[list[str], Meta(description="Up to 2,048.")]


class SimilarityParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As in `/embed`."""

    truncate: bool = True
    truncation_direction: Literal["Right", "right", "Left", "left"] = "Right"
    prompt_name: Name | None = None


class SimilarityRequest(Struct, frozen=True, kw_only=True):
    """How alike a text is to others: the cosine of their vectors. Without `prompt_name` no prompt goes before them."""

    inputs: SimilarityInputs
    parameters: Annotated[SimilarityParameters | None, Meta(description="As the fields of `/embed`.")] = None


class EngineIdentity(Struct, frozen=True, kw_only=True):
    """All that decides a vector."""

    model: str
    revision: str
    prompts: str
    dtype: str
    dimension: int


class ModelType(Struct, frozen=True, kw_only=True):
    """What the model is for."""

    embedding: dict[str, str]


class EngineInfo(Struct, frozen=True, kw_only=True):
    """What is served, in the fields of text-embeddings-inference and three more."""

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
    """The lengths that `dimensions` may ask for, the model's own first."""
    prompt_names: list[str]
    """What `prompt_name`, `task` and a model's suffix may be."""


class EngineHealth(Struct, frozen=True, kw_only=True):
    """Texts can be embedded."""

    healthy: bool
    model: str
