-- The ten best for one request, as the engine finds them, but for: exact hours count as their day-part, the usual week
-- counts without its exceptions, and what both write about is taken to be the same in everybody. All of it is less work.
CREATE FUNCTION ten_best(r request) RETURNS TABLE (id uuid, score int) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
  SELECT best.id, best.score FROM (
    SELECT w.id, w.exposure,
        22 * CASE WHEN r.conditions = 0 THEN 1000 ELSE
            (250 * bit_count((w.aware & r.conditions)::bit(24)) + 350 * bit_count((w.experienced & r.conditions)::bit(24))
            + 200 * bit_count((w.trained & r.conditions)::bit(24)) + 200 * bit_count((w.specialist & r.conditions)::bit(24)))::int
            / r.conditions_count END
      + 13 * CASE WHEN r.preferred = 0 THEN 1000 ELSE
            bit_count((w.day_parts & r.preferred)::bit(28))::int * 1000 / r.preferred_count END
      + 11 * CASE WHEN r.likes_count = 0 THEN 1000 ELSE
            (bit_count((w.interests0 & r.likes0)::bit(64)) + bit_count((w.interests1 & r.likes1)::bit(64)))::int
            * 1000 / r.likes_count END
      + 8 * CASE WHEN r.wishes_count = 0 THEN 1000 ELSE
            (bit_count((w.skills & r.prefer_skills)::bit(32))::int + CASE WHEN w.gender & r.prefer_genders <> 0 THEN 1 ELSE 0 END)
            * 1000 / r.wishes_count END
      + 10 * CASE WHEN r.understanding_count = 0 THEN 1000 ELSE
            (bit_count((w.languages & r.prefer_languages)::bit(64)) + bit_count((w.cultures & r.prefer_cultures)::bit(32)))::int
            * 1000 / r.understanding_count END
      + 7 * (least(w.worked_days + greatest(r.today - w.working_since, 0), 3650) * 1000 / 3650)
      + 11 * w.reliability
      + 6 * (10000000 / (10000 + round(12742017.6 * asin(least(sqrt(
            ((w.x - r.x)::bigint * (w.x - r.x) + (w.y - r.y)::bigint * (w.y - r.y) + (w.z - r.z)::bigint * (w.z - r.z))::float8
            ) / 12742017.6, 1.0)))::int))
      + 4 * CASE WHEN r.dearest = r.cheapest THEN 0 ELSE (r.dearest - greatest(
            w.rates[r.service1], w.rates[r.service2], w.rates[r.service3])) * 1000 / (r.dearest - r.cheapest) END
      + 4 * w.workload
      + 4000 AS score
    FROM worker w
    WHERE /*where*/
      AND w.services & r.services = r.services
      AND w.declined_tasks & r.tasks = 0
      AND w.declined_hazards & r.hazards = 0
      AND w.care_level >= r.care_level
      AND w.day_parts_superset & r.required = r.required
      AND w.checks_until >= r.covered_until
      AND w.gender & r.must_genders = r.must_genders
      AND w.languages & r.must_languages = r.must_languages
      AND w.skills & r.must_skills = r.must_skills
      AND w.cultures & r.must_cultures = r.must_cultures
      AND w.interests0 & r.must_interests0 = r.must_interests0
      AND w.interests1 & r.must_interests1 = r.must_interests1
      AND w.gender & r.avoid_genders = 0
      AND w.languages & r.avoid_languages = 0
      AND w.skills & r.avoid_skills = 0
      AND w.cultures & r.avoid_cultures = 0
      AND w.interests0 & r.avoid_interests0 = 0
      AND w.interests1 & r.avoid_interests1 = 0
      AND w.rates[r.service1] BETWEEN r.cheapest AND r.dearest
      AND w.rates[r.service2] BETWEEN r.cheapest AND r.dearest
      AND w.rates[r.service3] BETWEEN r.cheapest AND r.dearest
      AND (r.certificate1 = 0 OR w.certificates[r.certificate1] >= r.covered_until)
      AND (r.certificate2 = 0 OR w.certificates[r.certificate2] >= r.covered_until)
      AND (w.x - r.x)::bigint * (w.x - r.x) + (w.y - r.y)::bigint * (w.y - r.y)
        + (w.z - r.z)::bigint * (w.z - r.z) <= w.reach_squared
      AND w.id <> ALL (r.not_these)
      AND w.person <> ALL (r.own)
    ORDER BY score DESC, w.exposure
    FETCH FIRST 10 ROWS WITH TIES
  ) best
  ORDER BY best.score DESC, best.exposure, sha256(uuid_send(r.id) || uuid_send(best.id))
  LIMIT 10;
END $$;
