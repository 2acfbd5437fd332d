-- Packages that one subscriber was charged for twice in a short time, SQLite.

-- A pair of purchases: the same subscriber, package and price, both charged. It flags, and stops nothing: a second one
-- may be wanted.
CREATE TABLE surplus (
    -- The lower number, so that a pair stands once, whichever of the two is found by the other.
    first_number  BIGINT NOT NULL REFERENCES purchase (number),
    second_number BIGINT NOT NULL REFERENCES purchase (number),
    at            BIGINT NOT NULL,
    -- 1: a daemon has said so in its log.
    told          BIGINT NOT NULL CHECK (told IN (0, 1)),
    PRIMARY KEY (first_number, second_number),
    CONSTRAINT surplus_is_of_two CHECK (first_number < second_number)
) WITHOUT ROWID;
-- Either of the two finds the pair.
CREATE INDEX surplus_second ON surplus (second_number);
-- What is still to be said.
CREATE INDEX surplus_untold ON surplus (at) WHERE told = 0;
