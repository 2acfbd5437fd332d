-- The journal's first schema, PostgreSQL.
-- Times are Unix microseconds UTC, money is minor units with its ISO 4217 currency, flags are 0 or 1. Columns are only
-- BIGINT, TEXT and BYTEA, because one set of statements serves SQLite and PostgreSQL.
--
-- Partitioning by month, when it is wanted, is a later migration: event and message become PARTITION BY RANGE (at) with
-- at added to their primary keys (a redelivery is looked for by key before it is inserted, within the window). purchase
-- and the attempts stay whole, because their unique indexes must hold over all time.
-- Keys compare bytewise (COLLATE "C"): as fast as bytes, in the same order on every server.

-- Refuses the row with the sentence that the trigger gives.
CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- The purchase as it stands. What SQL must find or guard has a column; the whole is in body.
CREATE TABLE purchase (
    -- The database's own, in the order of insertion. Other tables name a purchase by it, so that what is written together
    -- lies together: the ids are hashes, and each table or index that began with one would write another page for each row.
    number         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Derived from the message's ingest key: the same message after a lost journal gives the same purchase.
    id             TEXT COLLATE "C" NOT NULL UNIQUE,
    -- The fence: every write names the version it saw, so that a stale owner changes nothing.
    version        BIGINT NOT NULL CHECK (version > 0),
    state          TEXT NOT NULL CHECK (state IN (
                       'requested', 'offered', 'charging', 'charge_unknown', 'awaiting_user', 'granting', 'grant_unknown',
                       'refunding', 'refund_unknown', 'review',
                       'done', 'declined', 'expired', 'cancelled', 'refunded', 'refused')),
    -- When it is looked at next, and at the same time the lease of whoever has claimed it.
    due_at         BIGINT,
    msisdn         TEXT COLLATE "C" NOT NULL,
    -- As it is handed to the package manager, and in lower case for searching, as the two databases fold differently.
    account        TEXT NOT NULL,
    account_folded TEXT COLLATE "C" NOT NULL,
    service        TEXT NOT NULL,
    package        TEXT NOT NULL,
    -- The agreed price; unknown until the package manager has named it.
    amount         BIGINT CHECK (amount >= 0),
    currency       TEXT,
    channel        TEXT NOT NULL,
    door           TEXT NOT NULL,
    link           TEXT NOT NULL,
    short_code     TEXT NOT NULL,
    -- Why a person must look at it.
    review         TEXT,
    paid           TEXT NOT NULL CHECK (paid IN ('no', 'yes', 'unknown', 'refunded')),
    granted        TEXT NOT NULL CHECK (granted IN ('no', 'owed', 'yes', 'elsewhere')),
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    -- The purchase as JSON. version and due_at are taken from the columns, which a claim moves on.
    body           TEXT NOT NULL,
    -- Nothing unfinished can be forgotten: whatever has not ended has a time at which it is looked at.
    CONSTRAINT purchase_open_is_due CHECK (
        due_at IS NOT NULL OR state IN ('done', 'declined', 'expired', 'cancelled', 'refunded', 'refused')),
    CONSTRAINT purchase_review_has_reason CHECK ((review IS NOT NULL) = (state = 'review')),
    CONSTRAINT purchase_price_is_whole CHECK ((amount IS NULL) = (currency IS NULL))
);
-- The claim reads this in order; ends without open questions are not in it, so it stays as small as the backlog.
CREATE INDEX purchase_due ON purchase (due_at) WHERE due_at IS NOT NULL;
-- The open purchases of a subscriber who answers, and a care agent's search by number.
CREATE INDEX purchase_msisdn ON purchase (msisdn, created_at);
-- A care agent's search by account.
CREATE INDEX purchase_account ON purchase (account_folded, created_at);
-- The list, newest first.
CREATE INDEX purchase_created ON purchase (created_at);

-- What happened, for ever: one row for each input that a purchase took.
CREATE TABLE event (
    -- No foreign key: the purchase stands in the same transaction, and this is the journal's hottest table.
    purchase_number BIGINT NOT NULL,
    -- The version that the event led to, so that two owners cannot both write one.
    seq             BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    kind            TEXT NOT NULL,
    state_from      TEXT NOT NULL,
    state_to        TEXT NOT NULL,
    -- The input as JSON, without codes and secrets.
    body            TEXT NOT NULL,
    PRIMARY KEY (purchase_number, seq)
);
-- What happened is never rewritten.
CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE ON event FOR EACH ROW
    EXECUTE FUNCTION forbid('event is append-only');
CREATE TRIGGER event_is_never_emptied BEFORE TRUNCATE ON event FOR EACH STATEMENT
    EXECUTE FUNCTION forbid('event is append-only');

-- Attempts to move money, one row for each key.
CREATE TABLE charge (
    purchase_number BIGINT NOT NULL REFERENCES purchase (number),
    -- What the peer knows the attempt by; never used for another.
    key             TEXT COLLATE "C" NOT NULL,
    msisdn          TEXT NOT NULL,
    channel         TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('intended', 'reserved', 'unknown', 'succeeded', 'failed')),
    -- How often a request under this key was let out.
    sends           BIGINT NOT NULL,
    amount          BIGINT NOT NULL CHECK (amount > 0),
    currency        TEXT NOT NULL,
    intended_at     BIGINT NOT NULL,
    -- No byte leaves after this.
    send_by         BIGINT NOT NULL,
    -- Until then a request may still take effect, whatever the peer says.
    in_flight_until BIGINT NOT NULL,
    -- The driver's own memory of the attempt.
    handle          TEXT,
    peer_reference  TEXT,
    -- The exact request of the intent, without secrets, and its SHA-256: a repeat must be the same request.
    request         TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (purchase_number, key)
);
-- One live charge for each purchase: a second one is refused by the database, not by code.
CREATE UNIQUE INDEX charge_live ON charge (purchase_number) WHERE status <> 'failed';
-- An operator who has only the peer's reference finds the purchase.
CREATE INDEX charge_peer_reference ON charge (peer_reference) WHERE peer_reference IS NOT NULL;
-- No key serves two purchases: each begins with its own purchase's id, and the ids are all of one length. An index over
-- all keys would say the same, and write another page for each.
CREATE FUNCTION check_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM purchase WHERE number = NEW.purchase_number
            AND (NEW.key = id OR substr(NEW.key, 1, length(id) + 1) = id || '-')
    ) THEN
        RAISE EXCEPTION 'an attempt''s key begins with its purchase''s id' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER charge_key_is_its_own BEFORE INSERT ON charge FOR EACH ROW EXECUTE FUNCTION check_key();
-- A late answer must not turn an attempt into one for another amount or subscriber.
CREATE TRIGGER charge_is_fixed BEFORE UPDATE ON charge FOR EACH ROW
    WHEN ((OLD.purchase_number, OLD.key, OLD.msisdn, OLD.channel, OLD.amount, OLD.currency)
        IS DISTINCT FROM (NEW.purchase_number, NEW.key, NEW.msisdn, NEW.channel, NEW.amount, NEW.currency))
    EXECUTE FUNCTION forbid('whose and how much an attempt is never changes');

-- The package added to the account.
CREATE TABLE "grant" (
    purchase_number BIGINT NOT NULL REFERENCES purchase (number),
    -- What the peer knows the attempt by; never used for another.
    key             TEXT COLLATE "C" NOT NULL,
    msisdn          TEXT NOT NULL,
    channel         TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('intended', 'reserved', 'unknown', 'succeeded', 'failed')),
    -- How often a request under this key was let out.
    sends           BIGINT NOT NULL,
    amount          BIGINT NOT NULL CHECK (amount >= 0),
    currency        TEXT NOT NULL,
    intended_at     BIGINT NOT NULL,
    -- No byte leaves after this.
    send_by         BIGINT NOT NULL,
    -- Until then a request may still take effect, whatever the peer says.
    in_flight_until BIGINT NOT NULL,
    -- The driver's own memory of the attempt.
    handle          TEXT,
    peer_reference  TEXT,
    -- The exact request of the intent, without secrets, and its SHA-256: a repeat must be the same request.
    request         TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (purchase_number, key)
);
-- One grant that may stand for each purchase.
CREATE UNIQUE INDEX grant_live ON "grant" (purchase_number) WHERE status <> 'failed';
-- An operator who has only the peer's reference finds the purchase.
CREATE INDEX grant_peer_reference ON "grant" (peer_reference) WHERE peer_reference IS NOT NULL;
-- No key serves two purchases.
CREATE TRIGGER grant_key_is_its_own BEFORE INSERT ON "grant" FOR EACH ROW EXECUTE FUNCTION check_key();
-- A late answer must not turn an attempt into one for another amount or subscriber.
CREATE TRIGGER grant_is_fixed BEFORE UPDATE ON "grant" FOR EACH ROW
    WHEN ((OLD.purchase_number, OLD.key, OLD.msisdn, OLD.channel, OLD.amount, OLD.currency)
        IS DISTINCT FROM (NEW.purchase_number, NEW.key, NEW.msisdn, NEW.channel, NEW.amount, NEW.currency))
    EXECUTE FUNCTION forbid('whose and how much an attempt is never changes');

-- Money given back, under its own key.
CREATE TABLE refund (
    purchase_number BIGINT NOT NULL REFERENCES purchase (number),
    -- What the peer knows the attempt by; never used for another.
    key             TEXT COLLATE "C" NOT NULL,
    -- The charge whose money it is.
    charge_key      TEXT COLLATE "C" NOT NULL,
    msisdn          TEXT NOT NULL,
    channel         TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('intended', 'reserved', 'unknown', 'succeeded', 'failed')),
    -- How often a request under this key was let out.
    sends           BIGINT NOT NULL,
    amount          BIGINT NOT NULL CHECK (amount > 0),
    currency        TEXT NOT NULL,
    intended_at     BIGINT NOT NULL,
    -- No byte leaves after this.
    send_by         BIGINT NOT NULL,
    -- Until then a request may still take effect, whatever the peer says.
    in_flight_until BIGINT NOT NULL,
    -- The driver's own memory of the attempt.
    handle          TEXT,
    peer_reference  TEXT,
    -- The exact request of the intent, without secrets, and its SHA-256: a repeat must be the same request.
    request         TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (purchase_number, key),
    FOREIGN KEY (purchase_number, charge_key) REFERENCES charge (purchase_number, key)
);
-- One refund that may stand for each purchase.
CREATE UNIQUE INDEX refund_live ON refund (purchase_number) WHERE status <> 'failed';
-- An operator who has only the peer's reference finds the purchase.
CREATE INDEX refund_peer_reference ON refund (peer_reference) WHERE peer_reference IS NOT NULL;
-- No key serves two purchases.
CREATE TRIGGER refund_key_is_its_own BEFORE INSERT ON refund FOR EACH ROW EXECUTE FUNCTION check_key();
-- A late answer must not turn an attempt into one for another amount or subscriber.
CREATE TRIGGER refund_is_fixed BEFORE UPDATE ON refund FOR EACH ROW
    WHEN ((OLD.purchase_number, OLD.key, OLD.msisdn, OLD.channel, OLD.amount, OLD.currency)
        IS DISTINCT FROM (NEW.purchase_number, NEW.key, NEW.msisdn, NEW.channel, NEW.amount, NEW.currency))
    EXECUTE FUNCTION forbid('whose and how much an attempt is never changes');
-- Never more back than was charged, and never to another purchase.
CREATE FUNCTION check_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM charge WHERE purchase_number = NEW.purchase_number AND key = NEW.charge_key
            AND currency = NEW.currency AND amount >= NEW.amount
    ) THEN
        RAISE EXCEPTION 'a refund is within the charge of its own purchase' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refund_is_within_charge BEFORE INSERT ON refund FOR EACH ROW EXECUTE FUNCTION check_refund();

-- Texts owed to subscribers, and what became of them.
CREATE TABLE reply (
    -- 0: it belongs to no purchase, but answers a message.
    purchase_number BIGINT NOT NULL,
    -- Made from the purchase and its version, or from the message: one text for one outcome, however often it is retried.
    key             TEXT COLLATE "C" NOT NULL,
    at              BIGINT NOT NULL,
    link            TEXT NOT NULL,
    sender          TEXT NOT NULL,
    recipient       TEXT NOT NULL,
    kind            TEXT NOT NULL,
    -- The words; a code stands as a placeholder and is never stored.
    text            TEXT NOT NULL,
    -- Past this the text is worth nothing.
    not_after       BIGINT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('queued', 'sent', 'unknown', 'refused', 'lapsed', 'delivered', 'undelivered')),
    -- How often it was let out.
    sends           BIGINT NOT NULL,
    -- The SMSC's id, as its receipts spell it.
    message_id      TEXT,
    -- When it is sent (again), and the lease of whoever has claimed it.
    due_at          BIGINT,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (purchase_number, key),
    -- A text that waits is never forgotten.
    CONSTRAINT reply_queued_is_due CHECK (status <> 'queued' OR due_at IS NOT NULL)
);
-- The claim of one link's replies.
CREATE INDEX reply_due ON reply (link, due_at) WHERE due_at IS NOT NULL;
-- A receipt finds its reply. Not unique, since SMSCs use their ids again.
CREATE INDEX reply_message_id ON reply (link, message_id) WHERE message_id IS NOT NULL;

-- Every message as it came.
CREATE TABLE message (
    -- The ingest key; with the generation it is what a redelivery runs into.
    key         TEXT COLLATE "C" NOT NULL,
    -- Counts honest repetitions of the same bytes, each later than the redelivery window.
    generation  BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    door        TEXT NOT NULL,
    link        TEXT NOT NULL,
    sender      TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    data_coding BIGINT,
    -- The octets, kept as they were: what nobody can read today may be read tomorrow.
    raw         BYTEA NOT NULL,
    verdict     TEXT NOT NULL,
    purchase_id TEXT COLLATE "C",
    PRIMARY KEY (key, generation)
);
CREATE INDEX message_at ON message (at);
CREATE INDEX message_purchase ON message (purchase_id) WHERE purchase_id IS NOT NULL;

-- Parts of long messages.
CREATE TABLE part (
    -- SMSC, sender, destination, reference and total.
    set_key     TEXT COLLATE "C" NOT NULL,
    -- Counts reuses of a reference, which has only 8 or 16 bits.
    generation  BIGINT NOT NULL,
    number      BIGINT NOT NULL CHECK (number BETWEEN 1 AND 255),
    total       BIGINT NOT NULL CHECK (total BETWEEN 1 AND 255),
    at          BIGINT NOT NULL,
    data_coding BIGINT,
    raw         BYTEA NOT NULL,
    door        TEXT NOT NULL,
    link        TEXT NOT NULL,
    sender      TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    -- 1: it stands in a whole message.
    done        BIGINT NOT NULL CHECK (done IN (0, 1)),
    PRIMARY KEY (set_key, generation, number)
);
-- Parts whose others never came.
CREATE INDEX part_waiting ON part (at) WHERE done = 0;

-- What is decided once for all instances, such as the key that codes are derived with.
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row for each daemon start. Each commit leaves its number here as its last statement, so that a commit whose answer
-- was lost is found out exactly: the number stands or it does not, and the row's lock waits for one still under way.
CREATE TABLE writer (
    instance  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    batch     BIGINT NOT NULL,
    opened_at BIGINT NOT NULL
);
