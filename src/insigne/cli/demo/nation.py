"""The nation of the demonstration: what the server is told of the simulated INSi and DMP."""

from insigne.cli.demo.service import Service
from insigne.simulate.hospital_plan import PATIENT_OID
from insigne.simulate.letters import FACILITY, GEOGRAPHIC_FINESS


def insi_configuration(insi: Service) -> str:
    """What the configuration of the server says of INSi. Short delays: an outage is played in seconds."""
    manual, automatic = (insi.ready["clients"][name] for name in ("INSI-MANU", "INSI-AUTO"))
    return f"""
[insi]
endpoint = "{insi.ready["url"]}"
idam = "{insi.ready["idam"]}"
automatic = true
rate = 500.0
burst = 50
total_seconds = 5

[insi.tls]
ca_file = "{insi.ready["ca"]}"
cert_file = "{manual["cert"]}"
key_file = "{manual["key"]}"

[insi.auto_tls]
ca_file = "{insi.ready["ca"]}"
cert_file = "{automatic["cert"]}"
key_file = "{automatic["key"]}"

[insi.retry]
first_seconds = 0.2
limit_seconds = 1.0

[insi.breaker]
probe_seconds = 0.2
probe_limit_seconds = 1.0
"""


def dmp_configuration(dmp: Service) -> str:
    """What it says of the DMP. The feed of the played hospital says nothing of consent: here that feeds."""
    caller, signer = (dmp.ready["clients"][name] for name in ("ORG_AUTH_CLI", "ORG_SIGN"))
    return f"""
[dmp]
without_consent = "feed"

[dmp.queue.retry]
first_seconds = 0.2
limit_seconds = 1.0

[dmp.queue.breaker]
probe_seconds = 0.2
probe_limit_seconds = 1.0

[dmp.service]
endpoint = "{dmp.ready["url"]}"
sign_cert_file = "{signer["cert"]}"
sign_key_file = "{signer["key"]}"
total_seconds = 20

[dmp.service.tls]
ca_file = "{dmp.ready["ca"]}"
cert_file = "{caller["cert"]}"
key_file = "{caller["key"]}"

[dmp.service.software]
oid = "{PATIENT_OID}.70"

[dmp.service.caller]
structure = "1{GEOGRAPHIC_FINESS}"
structure_name = "{FACILITY}"
person = "1{GEOGRAPHIC_FINESS}/AUTOMATE"
family = "AUTOMATE"
"""
