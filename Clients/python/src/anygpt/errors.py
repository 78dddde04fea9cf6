"""What can go wrong; each error is one line that says what to do."""


class AnyGPTError(Exception):
    """The parent of all errors of this package."""


class CannotConnect(AnyGPTError):
    """Nobody takes connections there, or the connection is not let in."""


class NotADaemon(AnyGPTError):
    """Somebody answers, but does not speak the daemon's protocol."""


class ConnectionLost(AnyGPTError):
    """The connection ended before the conversation did."""


class SoundError(AnyGPTError):
    """A sound file cannot be read or is of a kind that is not understood."""


class ArtifactError(AnyGPTError):
    """A picture or a piece of music cannot be fetched or shown."""


class ServerError(AnyGPTError):
    """The daemon refused something. The session lives on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"the daemon says: {message} ({code})")
        self.code = code
        self.message = message
