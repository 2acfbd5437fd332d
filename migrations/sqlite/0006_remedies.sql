-- What people decide to have done for a purchase, and the second person where one is needed, SQLite.

-- Of a refund: exactly what is to be given back, in minor units.
ALTER TABLE act ADD COLUMN amount BIGINT CHECK (amount > 0);
ALTER TABLE act ADD COLUMN currency TEXT CHECK ((currency IS NULL) = (amount IS NULL));
-- 1: package and money back, both, by the explicit word of two people.
ALTER TABLE act ADD COLUMN overrides BIGINT NOT NULL DEFAULT 0 CHECK (overrides IN (0, 1));
-- 1: no daemon takes it before a second person has confirmed it.
ALTER TABLE act ADD COLUMN needs_second BIGINT NOT NULL DEFAULT 0 CHECK (needs_second IN (0, 1));
ALTER TABLE act ADD COLUMN second TEXT CHECK (second <> '' AND LOWER(TRIM(second)) <> LOWER(TRIM(operator)));
ALTER TABLE act ADD COLUMN second_at BIGINT
    CHECK ((second_at IS NULL) = (second IS NULL))
    -- Four eyes, whatever the program says.
    CHECK (needs_second = 0 OR second IS NOT NULL OR outcome IS NULL OR outcome <> 'carried_out');
-- Who took it back before a second person had confirmed it; its outcome is then `refused`.
ALTER TABLE act ADD COLUMN withdrawn_by TEXT CHECK (withdrawn_by <> '');
-- What waits for a second person.
CREATE INDEX act_unconfirmed ON act (number) WHERE needs_second = 1 AND second IS NULL AND done_at IS NULL;

DROP TRIGGER act_is_not_rewritten;
-- As before; the second person's name is written once.
CREATE TRIGGER act_is_not_rewritten BEFORE UPDATE ON act FOR EACH ROW
    WHEN OLD.done_at IS NOT NULL
        OR (OLD.number, OLD.at, OLD.operator, OLD.verb, OLD.purchase_number, OLD.channel, OLD.verdict, OLD.reason, OLD.evidence,
            OLD.amount, OLD.currency, OLD.overrides, OLD.needs_second)
        IS NOT (NEW.number, NEW.at, NEW.operator, NEW.verb, NEW.purchase_number, NEW.channel, NEW.verdict, NEW.reason, NEW.evidence,
            NEW.amount, NEW.currency, NEW.overrides, NEW.needs_second)
        OR OLD.second IS NOT NULL AND (OLD.second, OLD.second_at) IS NOT (NEW.second, NEW.second_at)
BEGIN
    SELECT RAISE(ABORT, 'an act is never rewritten');
END;

-- When a channel last told us anything by itself, so that every instance knows whether it fell silent.
CREATE TABLE notify_heard (
    channel TEXT NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL
) WITHOUT ROWID;

-- How many were charged twice lately.
CREATE INDEX surplus_at ON surplus (at);
