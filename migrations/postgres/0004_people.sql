-- The people who answer for the money: who they are, that they are here, and what they looked at, PostgreSQL.

-- Whoever may use the care page. Nobody is taken out: what they did stands under their name.
CREATE TABLE operator (
    number      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Lower case, as it is typed at the login and stands beside each act.
    name        TEXT COLLATE "C" NOT NULL UNIQUE CHECK (name <> ''),
    role        TEXT NOT NULL CHECK (role IN ('agent', 'supervisor', 'accountant', 'administrator')),
    -- Argon2id, as a PHC string: salt and cost stand in it.
    password    TEXT NOT NULL CHECK (password <> ''),
    created_at  BIGINT NOT NULL,
    -- A session from before it counts no more.
    password_at BIGINT NOT NULL,
    disabled_at BIGINT
);

-- Who is logged in. The token itself is in the browser alone: whoever reads this table cannot use it.
CREATE TABLE session (
    -- SHA-256 of the token, lower-case hex.
    token           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    operator_number BIGINT NOT NULL REFERENCES operator (number),
    opened_at       BIGINT NOT NULL,
    -- The last use, to within a part of the idle time: not each look is worth a write.
    used_at         BIGINT NOT NULL,
    ended_at        BIGINT
);

-- What people did that is no act of its own: logins, looks at a number in full, accounts made and closed. It only grows.
CREATE TABLE audit (
    -- In its order; never used again.
    number          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              BIGINT NOT NULL,
    -- Empty where a login named nobody: what was typed there may have been a password.
    operator        TEXT NOT NULL,
    -- Where the request came from; empty for the command line.
    address         TEXT NOT NULL,
    -- `login`, `login_failed`, `login_refused`, `logout`, `look`, `act`, `operator_added` and so on.
    what            TEXT NOT NULL CHECK (what <> ''),
    -- Whom or what it was about: a purchase's id, an operator's name, a verb and its reason.
    detail          TEXT NOT NULL
);
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW
    EXECUTE FUNCTION forbid('audit is append-only');
CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT
    EXECUTE FUNCTION forbid('audit is append-only');

-- The lists of a care agent, narrowed down. Only of what is over: each purchase is written there once, at its end, and what
-- is open has an index of its own already.
CREATE INDEX purchase_state ON purchase (state, created_at) WHERE due_at IS NULL;
CREATE INDEX purchase_channel ON purchase (channel, created_at) WHERE due_at IS NULL;
CREATE INDEX purchase_door ON purchase (door, created_at) WHERE due_at IS NULL;
