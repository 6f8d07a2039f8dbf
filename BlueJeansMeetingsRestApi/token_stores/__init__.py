"""Token stores: memory, a file for the processes of one machine, and Redis for several machines.

A store maps a key to a string and has a lock for each key, so that only one of the threads or processes that find a
token expired requests a new one. To store tokens in another system, derive from `TokenStore` and run
`token_stores.conformance.TokenStoreConformance` on your class.
"""

from .base import EncryptionKey as EncryptionKey
from .base import StoredToken as StoredToken
from .base import TokenStore as TokenStore
from .base import TokenStoreError as TokenStoreError
from .file import FileTokenStore as FileTokenStore
from .memory import MemoryTokenStore as MemoryTokenStore
from .redis import RedisTokenStore as RedisTokenStore


def store_at(location: str) -> TokenStore:
    """Return the store at `location`: a RedisTokenStore for a URL, or a FileTokenStore for a path."""
    return RedisTokenStore(location) if "://" in location else FileTokenStore(location)
