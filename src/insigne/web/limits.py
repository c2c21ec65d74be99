"""Who a visitor is to us: their address."""

from collections.abc import Collection

from starlette.requests import HTTPConnection

from insigne.net.rate import address_key


def visitor(connection: HTTPConnection, trusted_proxies: Collection[str]) -> str:
    """The address a request comes from; of IPv6 its /64, which is what one subscriber has.

    Behind a trusted proxy, the last address of `X-Forwarded-For` that is not one of them.
    """
    address = connection.client.host if connection.client is not None else ""
    if address in trusted_proxies:
        hops = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        told = (hop.strip() for hop in reversed(hops))
        address = next((hop for hop in told if hop and hop not in trusted_proxies), address)
    return address_key(address)
