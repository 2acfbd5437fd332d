-- Channels' statements, held against the journal, PostgreSQL.

-- One file, or several of one day, as a channel issued them. A day that is issued again is a new version, and the one
-- before stays as it was.
CREATE TABLE statement (
    -- Never used again, so that an act's mention of it stays true.
    number     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel    TEXT COLLATE "C" NOT NULL,
    -- The channel's own day, 2026-11-24, and the times between which it lies.
    day        TEXT COLLATE "C" NOT NULL,
    from_at    BIGINT NOT NULL,
    until_at   BIGINT NOT NULL,
    version    BIGINT NOT NULL CHECK (version > 0),
    -- SHA-256 of the files' octets: the same again is not imported again.
    digest     TEXT COLLATE "C" NOT NULL,
    -- The files' names, as a JSON list in the order in which they were read.
    files      TEXT NOT NULL,
    -- The column map by which it is read: half of a statement is never read by another.
    map        TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('reading', 'matching', 'done', 'superseded')),
    -- How far it is read, so that an import that was killed goes on: the file, its octets and lines that are behind.
    at_file    BIGINT NOT NULL,
    at_octet   BIGINT NOT NULL,
    at_line    BIGINT NOT NULL,
    begun_by   TEXT NOT NULL CHECK (begun_by <> ''),
    begun_at   BIGINT NOT NULL,
    done_at    BIGINT,
    UNIQUE (channel, day, version)
);
-- One version of a day counts.
CREATE UNIQUE INDEX statement_that_counts ON statement (channel, day) WHERE state = 'done';

-- Every row of a statement, those that could not be read, too.
CREATE TABLE statement_row (
    statement_number BIGINT NOT NULL,
    -- The file's place in the statement, from 0, and the line in it, from 1.
    file             BIGINT NOT NULL,
    line             BIGINT NOT NULL,
    kind             TEXT COLLATE "C" NOT NULL CHECK (kind IN ('charge', 'reversal', 'ignored', 'bad')),
    -- What the channel says: when, under which reference of its own and which key of ours, whose, and how much.
    at               BIGINT,
    reference        TEXT COLLATE "C",
    key              TEXT COLLATE "C",
    msisdn           TEXT,
    amount           BIGINT,
    currency         TEXT COLLATE "C",
    -- The line itself, where it could not be read.
    raw              TEXT,
    standing         TEXT COLLATE "C" NOT NULL CHECK (standing IN (
                         'matched', 'long', 'differs', 'duplicate', 'carried', 'weak', 'reversal', 'ignored', 'bad')),
    -- The charge of ours that it is.
    purchase_number  BIGINT,
    charge_key       TEXT COLLATE "C",
    PRIMARY KEY (statement_number, file, line),
    CONSTRAINT statement_row_says_how_much CHECK (kind IN ('ignored', 'bad') OR (amount IS NOT NULL AND currency IS NOT NULL))
);
-- Which charges a statement has, and which twice.
CREATE INDEX statement_row_charge ON statement_row (statement_number, purchase_number, charge_key, kind)
    WHERE purchase_number IS NOT NULL;

-- What a statement sums up to, once it is read.
CREATE TABLE statement_sum (
    statement_number BIGINT NOT NULL REFERENCES statement (number),
    kind             TEXT COLLATE "C" NOT NULL,
    standing         TEXT COLLATE "C" NOT NULL,
    currency         TEXT COLLATE "C" NOT NULL,
    rows             BIGINT NOT NULL,
    amount           BIGINT NOT NULL,
    PRIMARY KEY (statement_number, kind, standing, currency)
);

-- What did not match, each with an owner and an age, until it agrees or somebody has explained it.
CREATE TABLE discrepancy (
    number           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    statement_number BIGINT NOT NULL REFERENCES statement (number),
    -- The statement's row; NULL where it lacks one.
    file             BIGINT,
    line             BIGINT,
    standing         TEXT COLLATE "C" NOT NULL CHECK (standing IN (
                         'long', 'short', 'differs', 'duplicate', 'carried', 'weak', 'reversal', 'unreturned', 'bad')),
    purchase_number  BIGINT REFERENCES purchase (number),
    charge_key       TEXT COLLATE "C",
    -- What the statement says that was taken from the subscriber; less than nothing where it was given back.
    theirs           BIGINT NOT NULL,
    currency         TEXT COLLATE "C",
    note             TEXT NOT NULL,
    owner            TEXT NOT NULL CHECK (owner <> ''),
    -- Since the version that first had it.
    opened_at        BIGINT NOT NULL,
    closed_at        BIGINT,
    -- agreed: journal and statement say the same by now. explained: they do not, and a person has said why.
    closing          TEXT CHECK (closing IN ('agreed', 'explained', 'superseded')),
    CONSTRAINT discrepancy_of_row CHECK ((file IS NULL) = (line IS NULL)),
    CONSTRAINT discrepancy_closed_says_how CHECK ((closed_at IS NULL) = (closing IS NULL))
);
-- What a statement leaves open, and what keeps it from adding up.
CREATE INDEX discrepancy_statement ON discrepancy (statement_number, number);
-- The list of what is open, the oldest first.
CREATE INDEX discrepancy_open ON discrepancy (opened_at) WHERE closed_at IS NULL;
-- A purchase's story.
CREATE INDEX discrepancy_purchase ON discrepancy (purchase_number) WHERE purchase_number IS NOT NULL;
-- One for each row, and one for each charge that a statement lacks: a pass that is done again finds it there.
CREATE UNIQUE INDEX discrepancy_row ON discrepancy (statement_number, file, line) WHERE line IS NOT NULL;
CREATE UNIQUE INDEX discrepancy_charge ON discrepancy (statement_number, purchase_number, charge_key, standing)
    WHERE line IS NULL;

-- Who did what about a discrepancy, and why. Only grows.
CREATE TABLE discrepancy_act (
    number             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    discrepancy_number BIGINT NOT NULL REFERENCES discrepancy (number),
    at                 BIGINT NOT NULL,
    operator           TEXT NOT NULL CHECK (operator <> ''),
    verb               TEXT NOT NULL CHECK (verb <> ''),
    reason             TEXT NOT NULL CHECK (reason <> ''),
    evidence           TEXT
);
CREATE INDEX discrepancy_act_of ON discrepancy_act (discrepancy_number);
CREATE TRIGGER discrepancy_act_is_not_rewritten BEFORE UPDATE OR DELETE ON discrepancy_act FOR EACH ROW
    EXECUTE FUNCTION forbid('what was done about a discrepancy is never rewritten');
CREATE TRIGGER discrepancy_act_is_never_emptied BEFORE TRUNCATE ON discrepancy_act FOR EACH STATEMENT
    EXECUTE FUNCTION forbid('what was done about a discrepancy is never rewritten');

-- What was charged, and given back, on a day. Only what succeeded is in them: one entry for each, in the order of time.
CREATE INDEX charge_succeeded ON charge (channel, intended_at) WHERE status = 'succeeded';
CREATE INDEX refund_succeeded ON refund (channel, intended_at) WHERE status = 'succeeded';
