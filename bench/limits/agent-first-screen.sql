-- The agent's first screen as the one statement that a person would write by hand: what the gateway's answer to
-- examples/agent-first-screen.graphql is compared with, and measured against. $1 is the customer's uuid.
--
-- One JSON key is one field of the document, in its order. json_agg over a row is the cheapest way found to build a
-- list (json_build_object per row costs a tenth more, concatenating texts as much). Ids are plain uuids and the
-- cursor is the last order's: writing them as the gateway does would only slow the statement down, and the
-- comparison does it.
SELECT json_build_object('data', json_build_object('customer360', json_build_object(
  'id', c.id,
  'number', c.number,
  'name', c.name,
  'locale', c.locale,
  'birthday', c.birthday,
  'preferredChannel', c.preferred_channel,
  'memberSince', c.member_since,
  'vip', c.vip,
  'risk', c.risk,
  'email', identities.email,
  'phone', identities.phone,
  'identities', identities.list,
  'consents', consents.list,
  'orders', json_build_object(
    'nodes', orders.list,
    'pageInfo', json_build_object(
      'hasNextPage', (SELECT count(*) > 10 FROM (SELECT FROM orders x WHERE x.customer_id = c.id LIMIT 11) x),
      'endCursor', orders.last
    )
  ),
  'tickets', json_build_object('nodes', tickets.list),
  'loyalty', loyalty.one,
  'feedback', json_build_object('nodes', feedback.list),
  'satisfaction', statistics.satisfaction,
  'statistics', statistics.one,
  'timeline', json_build_object('nodes', timeline.list)
)))::text
FROM customers c
CROSS JOIN LATERAL (
  SELECT
    coalesce(json_agg(json_build_object(
      'kind', x.kind,
      'value', x.value,
      'verifiedAt', x.verified_at,
      'source', x.source
    ) ORDER BY x.created_at, x.id), '[]') AS list,
    (array_agg(x.value ORDER BY x.verified_at IS NULL, x.created_at, x.id) FILTER (WHERE x.kind = 'EMAIL'))[1] AS email,
    (array_agg(x.value ORDER BY x.verified_at IS NULL, x.created_at, x.id) FILTER (WHERE x.kind = 'PHONE'))[1] AS phone
  FROM customer_identities x WHERE x.customer_id = c.id
) identities
CROSS JOIN LATERAL (
  SELECT coalesce(json_agg(json_build_object(
    'purpose', x.purpose,
    'channel', x.channel,
    'status', x.status,
    'decidedAt', x.decided_at
  ) ORDER BY x.decided_at DESC, x.id DESC), '[]') AS list
  FROM consents x WHERE x.customer_id = c.id
) consents
CROSS JOIN LATERAL (
  SELECT coalesce(json_agg(o), '[]') AS list, (array_agg(o.id))[count(*)] AS last
  FROM (
    SELECT
      x.id,
      x.number,
      x.channel,
      x.status,
      x.placed_at AS "placedAt",
      json_build_object(
        'amount', CASE WHEN x.currency IN ('KRW', 'JPY') THEN x.total::text
          ELSE (x.total / 100)::text || '.' || lpad((x.total % 100)::text, 2, '0') END,
        'currencyCode', x.currency
      ) AS total,
      json_build_object('nodes', (
        SELECT coalesce(json_agg(l), '[]')
        FROM (
          SELECT
            l.sku,
            l.title,
            l.quantity,
            json_build_object(
              'amount', CASE WHEN l.currency IN ('KRW', 'JPY') THEN l.total::text
                ELSE (l.total / 100)::text || '.' || lpad((l.total % 100)::text, 2, '0') END,
              'currencyCode', l.currency
            ) AS total
          FROM order_lines l WHERE l.order_id = x.id ORDER BY l.position LIMIT 20
        ) l
      )) AS lines,
      (
        SELECT coalesce(json_agg(f), '[]')
        FROM (
          SELECT
            f.status,
            f.carrier,
            f.tracking_number AS "trackingNumber",
            f.shipped_at AS "shippedAt",
            f.estimated_delivery_at AS "estimatedDeliveryAt",
            f.delivered_at AS "deliveredAt",
            f.delivered_at IS NULL AND f.status NOT IN ('CANCELLED', 'FAILURE')
              AND coalesce(f.estimated_delivery_at < now(), false) AS "isLate"
          FROM fulfillments f WHERE f.order_id = x.id ORDER BY f.created_at, f.id LIMIT 100
        ) f
      ) AS fulfillments,
      (
        SELECT coalesce(json_agg(r), '[]')
        FROM (
          SELECT
            r.number,
            r.status,
            r.requested_at AS "requestedAt",
            (
              SELECT coalesce(json_agg(l), '[]')
              FROM (
                SELECT l.quantity, l.reason
                FROM return_lines l WHERE l.return_id = r.id ORDER BY l.id LIMIT 100
              ) l
            ) AS lines
          FROM returns r WHERE r.order_id = x.id ORDER BY r.requested_at, r.id LIMIT 100
        ) r
      ) AS returns
    FROM orders x WHERE x.customer_id = c.id ORDER BY x.placed_at DESC, x.id DESC LIMIT 10
  ) o
) orders
CROSS JOIN LATERAL (
  SELECT coalesce(json_agg(t), '[]') AS list
  FROM (
    SELECT
      x.id,
      x.number,
      x.subject,
      x.status,
      x.priority,
      x.channel,
      x.created_at AS "createdAt",
      x.sla_due_at AS "slaDueAt",
      x.sla_breached OR coalesce(x.sla_due_at < now(), false) AS "slaBreached",
      json_build_object('nodes', (
        SELECT coalesce(json_agg(m), '[]')
        FROM (
          SELECT m.author_kind AS "authorKind", m.body, m.created_at AS "createdAt"
          FROM ticket_messages m WHERE m.ticket_id = x.id AND m.visibility = 'PUBLIC'
          ORDER BY m.created_at DESC, m.id DESC LIMIT 3
        ) m
      )) AS messages
    FROM tickets x WHERE x.customer_id = c.id AND x.status IN ('NEW', 'OPEN', 'PENDING', 'ON_HOLD')
    ORDER BY x.created_at DESC, x.id DESC LIMIT 10
  ) t
) tickets
LEFT JOIN LATERAL (
  SELECT json_build_object(
    'number', a.number,
    'status', a.status,
    'tier', json_build_object('name', tier.name, 'rank', tier.rank),
    'balance', json_build_object(
      'active', a.active_points,
      'pending', a.pending_points,
      'held', a.held_points,
      'owed', a.owed_points,
      'spent', a.spent_points,
      'expired', a.expired_points
    ),
    'lifetimePoints', a.lifetime_points,
    'nextExpiry', (
      SELECT json_build_object('points', sum(x.remaining - x.held), 'expiresAt', x.expires_at)
      FROM points_lots x
      WHERE x.account_id = a.id AND x.remaining > 0 AND x.remaining > x.held AND x.expires_at > now()
      GROUP BY x.expires_at ORDER BY x.expires_at LIMIT 1
    ),
    'transactions', json_build_object('nodes', (
      SELECT coalesce(json_agg(t), '[]')
      FROM (
        SELECT x.id, x.kind, x.points, x.reason, x.occurred_at AS "occurredAt"
        FROM loyalty_transactions x WHERE x.account_id = a.id
        ORDER BY x.occurred_at DESC, x.id DESC LIMIT 10
      ) t
    ))
  ) AS one
  FROM loyalty_accounts a JOIN loyalty_tiers tier ON tier.id = a.tier_id
  WHERE a.customer_id = c.id
    AND a.programme_id = (SELECT id FROM loyalty_programmes WHERE active ORDER BY created_at, id LIMIT 1)
) loyalty ON true
CROSS JOIN LATERAL (
  SELECT coalesce(json_agg(f), '[]') AS list
  FROM (
    SELECT
      CASE x.kind
        WHEN 'SURVEY_RESPONSE' THEN 'SurveyResponse'
        WHEN 'REVIEW' THEN 'Review'
        WHEN 'SOCIAL_MENTION' THEN 'SocialMention'
        ELSE 'Suggestion'
      END AS __typename,
      x.id,
      x.channel,
      x.metric,
      x.score,
      x.sentiment,
      x.body AS text,
      x.given_at AS "givenAt"
    FROM feedback x WHERE x.customer_id = c.id ORDER BY x.given_at DESC, x.id DESC LIMIT 5
  ) f
) feedback
LEFT JOIN LATERAL (
  SELECT
    json_build_object(
      'orderCount', x.order_count,
      'totalSpent', json_build_object(
        'amount', CASE WHEN x.currency IN ('KRW', 'JPY') THEN x.spent_total::text
          ELSE (x.spent_total / 100)::text || '.' || lpad((x.spent_total % 100)::text, 2, '0') END,
        'currencyCode', x.currency
      ),
      'averageOrderValue', CASE WHEN x.order_count > 0 THEN json_build_object(
        'amount', CASE WHEN x.currency IN ('KRW', 'JPY') THEN average::text
          ELSE (average / 100)::text || '.' || lpad((average % 100)::text, 2, '0') END,
        'currencyCode', x.currency
      ) END,
      'refundedTotal', json_build_object(
        'amount', CASE WHEN x.currency IN ('KRW', 'JPY') THEN x.refunded_total::text
          ELSE (x.refunded_total / 100)::text || '.' || lpad((x.refunded_total % 100)::text, 2, '0') END,
        'currencyCode', x.currency
      ),
      'firstOrderAt', x.first_order_at,
      'lastOrderAt', x.last_order_at
    ) AS one,
    json_build_object(
      'nps', CASE WHEN x.last_nps IS NOT NULL THEN json_build_object('last', x.last_nps, 'lastAt', x.last_nps_at,
        'trend', CASE sign(x.last_nps - x.previous_nps) WHEN 1 THEN 'IMPROVING' WHEN 0 THEN 'STABLE' WHEN -1 THEN 'DECLINING' END) END,
      'csat', CASE WHEN x.last_csat IS NOT NULL THEN json_build_object('last', x.last_csat, 'lastAt', x.last_csat_at,
        'trend', CASE sign(x.last_csat - x.previous_csat) WHEN 1 THEN 'IMPROVING' WHEN 0 THEN 'STABLE' WHEN -1 THEN 'DECLINING' END) END,
      'ces', CASE WHEN x.last_ces IS NOT NULL THEN json_build_object('last', x.last_ces, 'lastAt', x.last_ces_at,
        'trend', CASE sign(x.last_ces - x.previous_ces) WHEN 1 THEN 'IMPROVING' WHEN 0 THEN 'STABLE' WHEN -1 THEN 'DECLINING' END) END
    ) AS satisfaction
  FROM (
    SELECT *, (2 * spent_total + order_count) / nullif(2 * order_count, 0) AS average FROM customer_statistics
  ) x
  WHERE x.customer_id = c.id
) statistics ON true
CROSS JOIN LATERAL (
  SELECT coalesce(json_agg(e), '[]') AS list
  FROM (
    SELECT x.id, x.kind, x.channel, x.label, x.occurred_at AS "occurredAt"
    FROM events x WHERE x.customer_id = c.id AND x.visibility <> 'AUDIT'
    ORDER BY x.occurred_at DESC, x.id DESC LIMIT 20
  ) e
) timeline
WHERE c.id = $1
