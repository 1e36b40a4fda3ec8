"""What the refusals of S3 and of its client mean: try again, or a matter of settings, with the way out.

It knows codes and words only; it sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pipeline.adapters.s3_place import Place
from pipeline.errors import EngineError, FleetError, StoreUnavailable

PASSING: Final = frozenset(
    {
        "ConditionalRequestConflict",
        "IncompleteBody",
        "InternalError",
        "OperationAborted",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "TooManyRequestsException",
        "BadDigest",
        "XAmzContentChecksumMismatch",
        "XAmzContentSHA256Mismatch",
    }
)
"""Codes below status 500 that another try may not meet; among them those for bytes that were hurt on their way."""

_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), an AWS_PROFILE, or give a role"
_RIGHTS = (
    "allow s3:GetObject, s3:PutObject and s3:DeleteObject on {bucket}/{prefix}*, and s3:ListBucket on the bucket itself"
)
_REGION = "add the bucket's region to the address (?region=…) or set AWS_REGION"

WAYS_OUT: Final[Mapping[str, tuple[str, str]]] = {
    "NoSuchBucket": ("there is no such bucket", "create it, or name another one; see also the endpoint and region"),
    "AccessDenied": ("access is denied", _RIGHTS),
    "Forbidden": ("access is denied", _RIGHTS),
    "403": ("access is denied", _RIGHTS),
    "AllAccessDisabled": ("the bucket is closed for everybody", "ask who owns it"),
    "InvalidAccessKeyId": ("the access key is not known there", _CREDENTIALS),
    "XAdminUserNotFound": ("the access key is not known there", _CREDENTIALS),
    "SignatureDoesNotMatch": ("the secret key does not fit the access key", _CREDENTIALS),
    "InvalidToken": ("the session token is not valid", _CREDENTIALS),
    "ExpiredToken": ("the credentials have expired", "get new ones; the same command then goes on with the run"),
    "ExpiredTokenException": ("the credentials have expired", "get new ones; the same command then goes on"),
    "RequestTimeTooSkewed": ("this machine's clock is wrong by more than S3 allows", "set the clock (chrony, ntpd)"),
    "AuthorizationHeaderMalformed": ("the bucket is in another region", _REGION),
    "PermanentRedirect": ("the bucket is in another region", _REGION),
    "IllegalLocationConstraintException": ("the bucket is in another region", _REGION),
    "InvalidBucketName": ("the bucket's name is not allowed there", "name another bucket"),
    "NotImplemented": ("this server lacks something a store needs", "use a server with conditional writes"),
    "QuotaExceeded": ("the bucket's quota is used up", "make room: `doit sweep`, or a larger quota"),
    "NoCredentialsError": ("no credentials were found", _CREDENTIALS),
    "PartialCredentialsError": ("only a part of the credentials was found", _CREDENTIALS),
    "CredentialRetrievalError": ("the credentials cannot be fetched", _CREDENTIALS),
    "TokenRetrievalError": ("the credentials cannot be fetched", "log in again: `aws sso login`"),
    "UnauthorizedSSOTokenError": ("the login has expired", "log in again: `aws sso login`"),
    "SSOTokenLoadError": ("there is no login", "log in: `aws sso login`"),
    "ProfileNotFound": ("the AWS profile does not exist", "see AWS_PROFILE and ~/.aws/config"),
    "NoRegionError": ("no region is known", _REGION),
    "SSLError": ("the server's certificate is not trusted", "name its CA file in AWS_CA_BUNDLE"),
}
"""By S3's code or the client's class: what it means, what to do."""


@contextmanager
def s3_in_use(what: str, place: Place) -> Iterator[None]:
    """Translate what the client raises while `what` (such as "reading 'a/b'") is done at `place`.

    Raises `StoreUnavailable` for time limits, lost connections, throttling and errors of the server, after which a
    write's outcome is unknown; `EngineError` with the way out for everything that trying again cannot help.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _answered(error, what, place) from error
    except BotoCoreError as error:
        raise _unanswered(error, what, place) from error
    except RecursionError as error:  # The client asks for the bucket's region, and is sent on, and asks for it.
        raise _refused("PermanentRedirect", what, place) from error
    except RuntimeError as error:  # What was got in place of expired credentials has expired, too.
        raise _expired(error, what, place) from error
    except (ResponseParserError, ValueError, LookupError) as error:
        # An answer that was cut within its head or its XML.
        raise _garbled(what, place) from error


def _expired(error: RuntimeError, what: str, place: Place) -> Exception:
    return _refused("ExpiredToken", what, place) if "expired" in str(error) else error


def check_whole(answer: Any, what: str, place: Place) -> None:
    """Raise `StoreUnavailable` for an answer that was cut within its head: its body then seems to be empty."""
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    if "content-length" not in headers and "transfer-encoding" not in headers:
        raise _garbled(what, place)


def _garbled(what: str, place: Place) -> StoreUnavailable:
    return StoreUnavailable(f"{what}: the answer of {place.name} came in part", hint="see endpoint and network")


def code_of(error: Any) -> str:
    """S3's code in a `ClientError`; for answers without a body the status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: Any) -> int:
    """The HTTP status in a `ClientError`; 0 when there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _answered(error: Any, what: str, place: Place) -> FleetError:
    code, status = code_of(error), status_of(error)
    if code in WAYS_OUT:
        return _refused(code, what, place)
    if code == "404":  # Without S3's own word: a cut answer, or something else answers there.
        return _garbled(what, place)
    if status >= 500 or status in (408, 429) or code in PASSING:
        return StoreUnavailable(f"{what}: S3 answers {status} {code}", hint=f"see whether {place.name} is well")
    text = str(error.response.get("Error", {}).get("Message", ""))[:200]
    return EngineError(f"{what}: S3 refuses with {status} {code} {text}".rstrip(), hint=_rights(_RIGHTS, place))


def _unanswered(error: Any, what: str, place: Place) -> FleetError:
    from botocore import exceptions

    kind = type(error).__name__
    if kind in WAYS_OUT:
        return _refused(kind, what, place)
    passing = (
        exceptions.HTTPClientError,
        exceptions.ConnectionError,
        exceptions.IncompleteReadError,
        exceptions.ResponseStreamingError,
        exceptions.FlexibleChecksumError,
    )
    if isinstance(error, passing):
        return StoreUnavailable(f"{what}: {place.name} cannot be reached ({kind})", hint="see endpoint and network")
    return EngineError(f"{what}: {error}", hint=f"see the settings of {place.name}")


def _refused(code: str, what: str, place: Place) -> EngineError:
    meaning, hint = WAYS_OUT[code]
    return EngineError(f"{what} at {place.name}: {meaning}", hint=_rights(hint, place))


def _rights(hint: str, place: Place) -> str:
    return hint.replace("{bucket}", place.bucket).replace("{prefix}", place.prefix)
