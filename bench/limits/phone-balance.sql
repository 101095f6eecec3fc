-- What a phone shows about its owner's points, as the one statement that a person would write by hand: what the
-- gateway's answer to examples/phone-balance.graphql is compared with, and measured against. $1 is the customer's
-- uuid; see agent-first-screen.sql.
SELECT json_build_object('data', json_build_object('me', json_build_object(
  'name', c.name,
  'loyalty', CASE WHEN a.id IS NOT NULL THEN json_build_object(
    'number', a.number,
    'tier', json_build_object('name', tier.name),
    'balance', json_build_object('active', a.active_points, 'pending', a.pending_points),
    'nextTier', CASE WHEN following.id IS NOT NULL THEN json_build_object('name', following.name) END,
    'pointsToNextTier', following.threshold_points - a.qualifying_points,
    'expiringSoon', (
      SELECT coalesce(json_agg(json_build_object('points', x.points, 'expiresAt', x.expires_at) ORDER BY x.expires_at), '[]')
      FROM (
        SELECT x.expires_at, sum(x.points) AS points
        FROM (
          SELECT x.expires_at, x.remaining - x.held AS points
          FROM points_lots x
          WHERE x.account_id = a.id AND x.remaining > 0 AND x.remaining > x.held AND x.expires_at > now()
            AND x.expires_at <= now() + interval '90 days'
          ORDER BY x.expires_at LIMIT 20
        ) x
        GROUP BY x.expires_at
      ) x
    )
  ) END
)))::text
FROM customers c
LEFT JOIN loyalty_accounts a ON a.customer_id = c.id
  AND a.programme_id = (SELECT id FROM loyalty_programmes WHERE active ORDER BY created_at, id LIMIT 1)
LEFT JOIN loyalty_tiers tier ON tier.id = a.tier_id
LEFT JOIN LATERAL (
  SELECT x.id, x.name, x.threshold_points
  FROM loyalty_tiers x
  WHERE x.programme_id = a.programme_id AND x.rank > tier.rank AND x.threshold_points > a.qualifying_points
  ORDER BY x.threshold_points, x.rank LIMIT 1
) following ON true
WHERE c.id = $1
