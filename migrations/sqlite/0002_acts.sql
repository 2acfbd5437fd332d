-- What operators do from the command line, SQLite.

-- Who did what, when and why, and what came of it. The command line writes an act; a daemon carries it out.
CREATE TABLE act (
    -- Never used again, so that an event's mention of it stays true.
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    at              BIGINT NOT NULL,
    operator        TEXT NOT NULL CHECK (operator <> ''),
    -- `inquire`, `resolve`, `freeze`, `thaw`; later versions have more.
    verb            TEXT NOT NULL CHECK (verb <> ''),
    purchase_number BIGINT REFERENCES purchase (number),
    channel         TEXT,
    -- What a person found out about the purchase.
    verdict         TEXT,
    reason          TEXT NOT NULL CHECK (reason <> ''),
    evidence        TEXT,
    -- When a daemon takes it (again), and the lease of whoever has claimed it.
    due_at          BIGINT,
    done_at         BIGINT,
    -- Whether the core took it; the purchase's event has the rest.
    outcome         TEXT CHECK (outcome IN ('carried_out', 'refused')),
    CONSTRAINT act_is_about_one CHECK ((purchase_number IS NULL) <> (channel IS NULL)),
    -- What waits is never forgotten, and what is done says what came of it.
    CONSTRAINT act_waits_or_is_done CHECK ((due_at IS NULL) = (done_at IS NOT NULL)),
    CONSTRAINT act_done_has_outcome CHECK ((done_at IS NULL) = (outcome IS NULL))
);
-- The claim.
CREATE INDEX act_due ON act (due_at) WHERE due_at IS NOT NULL;
-- A purchase's story.
CREATE INDEX act_purchase ON act (purchase_number) WHERE purchase_number IS NOT NULL;
-- Whether a channel is frozen: its newest act says so.
CREATE INDEX act_channel ON act (channel, number) WHERE channel IS NOT NULL;

-- Who did what and why is never rewritten, and what is done stays done: an act is carried out once.
CREATE TRIGGER act_is_not_rewritten BEFORE UPDATE ON act FOR EACH ROW
    WHEN OLD.done_at IS NOT NULL
        OR (OLD.number, OLD.at, OLD.operator, OLD.verb, OLD.purchase_number, OLD.channel, OLD.verdict, OLD.reason, OLD.evidence)
        IS NOT (NEW.number, NEW.at, NEW.operator, NEW.verb, NEW.purchase_number, NEW.channel, NEW.verdict, NEW.reason, NEW.evidence)
BEGIN
    SELECT RAISE(ABORT, 'an act is never rewritten');
END;
CREATE TRIGGER act_is_not_deleted BEFORE DELETE ON act FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'an act is never rewritten');
END;
