"""People of the walks, by the dozen: accounts, organisations and what belongs to them are written straight into the tables,
so that a test needs only the requests it is about. Logging in is by HTTP.
"""
import functools
import json
import secrets
import time
import uuid

from database import on
from sms_hook import Hook
from walk import Door
from world import Server

PASSWORD = "Correct-Horse-7-Battery"
# What counts() passes over: rates, throttles and the watch over logins are there to change, and sessions know when they were used.
COUNTED = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'rampart_auth'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ('rate', 'throttle', 'login_watch') ORDER BY 1"""


class Person:
    def __init__(self, account, email, org, password=PASSWORD):
        self.account, self.email, self.org, self.password = account, email, org, password
        self.token = self.refresh_token = self.session = None


ORIGIN = "https://app.example.com"


@functools.cache
def hook_of(_):
    return Hook()


@functools.cache
def server_of(world):
    """The server that all walks share, over TLS; with a provider of SMS, its hook."""
    settings = {"http": {"allowed_origins": [ORIGIN]}, "lockout": {"failures_per_address": 100000}, "sms": hook_of(world).settings}
    return Server(world, world.database("walk"), settings, plain=False).start()


class Party:
    MAX_BODY = 64 * 1024

    def __init__(self, world, server=None):
        self.server = server or server_of(world)
        self.hook = hook_of(world)
        self.cluster, self.database = world.cluster, self.server.database
        self.door = self.new_door()
        self.connection = self.database.connect("postgres", autocommit=False)

    def new_door(self):
        return Door("127.0.0.1", self.server.port, not self.server.plain)

    # The database, as the server's functions see it ---------------------------------------------------------------

    def query(self, sql, *parameters):
        with self.connection:  # a transaction
            on(self.connection, "SET LOCAL ROLE rampart_auth")
            on(self.connection, "SELECT rampart_auth.act_as_server()")
            return on(self.connection, sql, parameters or None)

    def value(self, sql, *parameters):
        return self.query(sql, *parameters)[0][0]

    def counts(self):
        """Rows of each table."""
        return self._of_each_table("count(*)")

    def state(self):
        """A digest of each table's rows, and of the policy's."""
        return self._of_each_table("md5(string_agg(t::text, ',' ORDER BY t::text COLLATE \"C\"))")

    def _of_each_table(self, expression):
        names = [f"rampart_auth.{name}" for name, in self.database.query(COUNTED)] + ["rampart.policy_rule"]
        return dict(self.database.query(" UNION ALL ".join(f"SELECT '{name}', ({expression})::text FROM {name} t" for name in names)))

    def wait_for_sms(self):
        """Until none is on its way any more, and the outbox stays as it is."""
        while self.value("SELECT count(*) FROM rampart_auth.outbox WHERE channel = 'sms' AND next_attempt_at IS NOT NULL"):
            time.sleep(0.01)

    def dumped(self, table):
        """A table as a dump shows it."""
        return self.cluster.psql(f"COPY rampart_auth.{table} TO STDOUT", database=self.database.name).stdout

    @functools.cached_property
    def password_hash(self):
        """PASSWORD as the server hashes it."""
        email = self.free_addresses(1)[0]
        self.door.send("POST", "/auth/signup", None, {"email": email, "password": PASSWORD})
        return self.value("SELECT password_hash FROM rampart_auth.account WHERE email = %s", email)

    # People ---------------------------------------------------------------------------------------------------------

    def new_account(self, name="walk", status="active", platform_role=None, count=1):
        """(id, address) of accounts with PASSWORD."""
        emails = [f"{name.lower()}-{secrets.token_hex(6)}@example.com" for _ in range(count)]
        return self.query("INSERT INTO rampart_auth.account (email, name, password_hash, password_changed_at, status, platform_role, email_verified_at) "
                          "SELECT e, 'Walker', %s, now(), %s, %s, CASE WHEN %s <> 'unverified' THEN now() END FROM unnest(%s) e RETURNING id::text, email::text",
                          self.password_hash, status, platform_role, status, emails)

    def active_addresses(self, count):
        return [email for _, email in self.new_account("known", count=count)]

    def unverified_addresses(self, count):
        return [email for _, email in self.new_account("known", "unverified", count=count)]

    def free_addresses(self, count):
        return [f"known-{secrets.token_hex(6)}@example.com" for _ in range(count)]

    def new_organisation(self, name="Walk"):
        return self.value("INSERT INTO rampart_auth.organisation (name) VALUES (%s) RETURNING id::text", name)

    def join(self, account, org, role):
        self.query("INSERT INTO rampart_auth.membership (org_id, account_id, role) VALUES (%s, %s, %s)", org, account, role)

    def demote(self, person, role):
        self.query("UPDATE rampart_auth.membership SET role = %s WHERE org_id = %s AND account_id = %s", role, person.org, person.account)

    def log_in(self, person, **more):
        answer = self.door.send("POST", "/auth/login", None, {"email": person.email, "password": person.password, **more})
        if answer.status != 200:
            raise RuntimeError(f"log-in of {person.email}: {answer!r} {self.server.log()[-1000:]}")
        person.token = answer.json["access_token"]
        person.refresh_token = answer.cookies().get("__Host-rampart_refresh") or answer.json.get("refresh_token")
        person.session = self.door.send("GET", "/auth/me", {"Authorization": f"Bearer {person.token}"}).json["session"]
        return answer

    def member(self, org, role, name="walk", platform_role=None):
        account, email = self.new_account(name, platform_role=platform_role)[0]
        if role:
            self.join(account, org, role)
        person = Person(account, email, org)
        self.log_in(person, **({"organisation": org} if org else {}))
        return person

    def person(self, name="walk"):
        return self.member(self.new_organisation(name), "MEMBER", name)

    def person_of_role(self, role):
        """With an organisation of their own."""
        if role == "SUPER_ADMIN":
            return self.member(self.new_organisation(role), None, role, role)
        return self.member(self.new_organisation(role), role, role)

    def administrator(self):
        return self.person_of_role("SUPER_ADMIN")

    # What they have -------------------------------------------------------------------------------------------------

    def ended_session_token(self):
        person = self.person("ended")
        self.door.send("POST", "/auth/logout", {"Authorization": f"Bearer {person.token}"})
        return person.token

    def disabled_account_token(self):
        person, root = self.person("disabled"), self.administrator()
        self.door.send("POST", f"/admin/users/{person.account}/disable", {"Authorization": f"Bearer {root.token}"})
        return person.token

    def api_key(self, person, scopes):
        answer = self.door.send("POST", "/api-keys", {"Authorization": f"Bearer {person.token}"}, {"name": "walk", "scopes": scopes})
        return answer.json["key"]

    def signing_key(self):
        """(kid, private key, public key) of the key that tokens are signed with."""
        return self.query("SELECT kid, private_key::text, public_key FROM rampart_auth.signing_key WHERE activated_at IS NOT NULL AND retired_at IS NULL")[0]

    def mails(self, address=None):
        """(template, data) of mails that wait, oldest first."""
        return [(template, json.loads(data)) for template, data in self.query(
            "SELECT template, data::jsonb::text FROM rampart_auth.outbox WHERE sent_at IS NULL AND data IS NOT NULL AND (%s::text IS NULL OR recipient::text = %s) ORDER BY id", address, address)]

    def mailed_token(self, address, template):
        links = [data["link"] for name, data in self.mails(address) if name == template]
        return links[-1].split("token=")[1] if links else None

    def things_of(self, person):
        """Ids of one of each that an organisation has, made where there is none."""
        org = person.org
        if not self.value("SELECT count(*) FROM rampart_auth.team WHERE org_id = %s", org):
            self.query("INSERT INTO rampart_auth.team (org_id, name) VALUES (%s, 'Walkers')", org)
            self.query("INSERT INTO rampart_auth.invitation (org_id, email, role, token_hash, invited_by, expires_at) VALUES (%s, %s, 'MEMBER', %s, %s, now() + interval '1 day')",
                       org, f"{uuid.uuid4().hex}@example.com", secrets.token_bytes(32), person.account)
            self.api_key(person, ["a:b"])
        return {"team": self.value("SELECT id::text FROM rampart_auth.team WHERE org_id = %s", org),
                "invitation": self.value("SELECT id::text FROM rampart_auth.invitation WHERE org_id = %s AND revoked_at IS NULL", org),
                "api_key": self.value("SELECT id::text FROM rampart_auth.api_key WHERE org_id = %s AND revoked_at IS NULL", org),
                "session": person.session,
                "member": self.value("SELECT role FROM rampart_auth.membership WHERE org_id = %s AND account_id = %s", org, person.account)}
