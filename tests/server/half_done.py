"""What must hold in the database at any time: everything that belongs together stands there together."""
import http.client
import secrets

from world import PASSWORD

# Each finds what stands without what the same transaction had to write.
TOGETHER = {
    "an account without the event of its sign-up":
        "SELECT id FROM rampart_auth.account a WHERE platform_role IS NULL AND NOT EXISTS (SELECT FROM events e WHERE e.event = 'auth.signup' AND e.metadata ->> 'account' = a.id::text)",
    "an event of a sign-up without its account":
        "SELECT e.id FROM events e WHERE e.event = 'auth.signup' AND NOT EXISTS (SELECT FROM rampart_auth.account a WHERE a.id::text = e.metadata ->> 'account')",
    "a session without the event of its login":
        "SELECT id FROM rampart_auth.session s WHERE NOT EXISTS (SELECT FROM events e WHERE e.event = 'auth.login_success' AND e.metadata ->> 'session' = s.id::text)",
    "a session without exactly one refresh token to use":
        "SELECT id FROM rampart_auth.session s WHERE revoked_at IS NULL AND (SELECT count(*) FROM rampart_auth.refresh_token t WHERE t.session_id = s.id AND t.used_at IS NULL) <> 1",
    "a used refresh token without its successor":
        "SELECT session_id FROM rampart_auth.refresh_token WHERE used_at IS NOT NULL AND successor IS NULL",
    "an ended session without its event":
        "SELECT id FROM rampart_auth.session s WHERE revoked_at IS NOT NULL AND NOT EXISTS (SELECT FROM events e WHERE e.event = 'session.revoked' AND e.metadata ->> 'session' = s.id::text)",
    "a session ended for a token used twice":
        "SELECT id FROM rampart_auth.session WHERE revoked_why LIKE '%reused%'",
    "an organisation without an owner":
        "SELECT id FROM rampart_auth.organisation o WHERE NOT EXISTS (SELECT FROM rampart_auth.membership m WHERE m.org_id = o.id AND m.role = 'OWNER')",
    "an organisation without its event":
        "SELECT id FROM rampart_auth.organisation o WHERE NOT EXISTS (SELECT FROM events e WHERE e.event = 'org.created' AND e.metadata ->> 'organisation' = o.id::text)",
    "an event of an organisation that is not there":
        "SELECT e.id FROM events e WHERE e.event = 'org.created' AND NOT EXISTS (SELECT FROM rampart_auth.organisation o WHERE o.id::text = e.metadata ->> 'organisation')",
    "an idempotency key without its answer":
        "SELECT created_at FROM rampart_auth.idempotency WHERE status IS NULL",
}


def found(database):
    """What stands alone, by kind."""
    alone = []
    for kind, sql in TOGETHER.items():
        rows = database.query("WITH events AS MATERIALIZED (SELECT id, event, metadata FROM rampart.audit_log WHERE event IS NOT NULL) " + sql)
        alone += [(kind, len(rows), str(rows[0]))] if rows else []
    return alone


def lost(database, acknowledged):
    """Organisations whose making was acknowledged, and that are not there."""
    return acknowledged - {name for name, in database.query("SELECT name FROM rampart_auth.organisation")}


class Person:
    """Goes through flows, one request a step, and remembers what was acknowledged and what was not answered."""

    def __init__(self, world, server):
        self.world, self.server = world, server
        self.client = world.person(server)
        self.acknowledged, self.unanswered, self.steps = set(), None, 0

    def step(self):
        self.steps += 1
        return (self.renew, self.make, self.log_in_elsewhere, self.sign_up)[self.steps % 4]()

    def renew(self):
        answer = self.client.post("/auth/refresh", {"refresh_token": self.client.refresh})
        if answer.status == 200:
            self.client.refresh, self.client.token = answer.body["refresh_token"], answer.body["access_token"]
        return answer

    def make(self):
        """Sends the same again, until it is answered."""
        name, key = self.unanswered or (secrets.token_hex(8), secrets.token_hex(8))
        self.unanswered = name, key
        answer = self.client.post("/organisations", {"name": name}, headers={"Idempotency-Key": key})
        if answer.status == 201:
            self.acknowledged.add(name)
            self.unanswered = None
        return answer

    def log_in_elsewhere(self):
        other = self.server.client()
        answer = other.log_in(self.client.email)
        return other.post("/auth/logout") if answer.status == 200 else answer

    def sign_up(self):
        return self.server.client().post("/auth/signup", {"email": f"{secrets.token_hex(6)}@example.com", "password": PASSWORD})

    def settle(self):
        """Does again what was not answered; whether the session from the beginning lasts."""
        try:
            if self.unanswered:
                self.make()
            return "alive" if self.renew().status == 200 and self.client.get("/auth/me").status == 200 else "ended"
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
