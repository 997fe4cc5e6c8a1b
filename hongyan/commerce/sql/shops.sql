-- name: keep
INSERT INTO commerce_shopmessage (id, shop_id, topic, delivery, body, state, attempts, received_at)
VALUES (%(id)s, %(shop)s, %(topic)s, %(delivery)s, %(body)s, 'waiting', 0, %(at)s)
    ON CONFLICT (shop_id, delivery) DO NOTHING

-- name: claim
SELECT id FROM commerce_shopmessage WHERE state = 'waiting' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
