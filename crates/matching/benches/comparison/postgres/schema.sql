CREATE TABLE worker (
  id uuid, person uuid, x int, y int, z int, reach_squared bigint, reach box, neighbourhoods bigint[], tags bigint[],
  services int, rates int[], day_parts int, day_parts_superset int, gender int, care_level int,
  declined_tasks int, declined_hazards int, checks_until int, certificates int[],
  aware int, experienced int, trained int, specialist int, skills int, languages bigint, cultures int,
  interests0 bigint, interests1 bigint, worked_days int, working_since int, reliability int, workload int, exposure int
);
CREATE TABLE request (
  number int, id uuid, neighbourhood bigint, tags bigint[], here point, x int, y int, z int, today int,
  covered_until int, services int, service1 int, service2 int, service3 int, certificate1 int, certificate2 int,
  cheapest int, dearest int, required int, tasks int, hazards int, care_level int,
  must_genders int, must_languages bigint, must_skills int, must_cultures int, must_interests0 bigint,
  must_interests1 bigint, avoid_genders int, avoid_languages bigint, avoid_skills int, avoid_cultures int,
  avoid_interests0 bigint, avoid_interests1 bigint, conditions int, conditions_count int, preferred int,
  preferred_count int, likes0 bigint, likes1 bigint, likes_count int, prefer_skills int, prefer_genders int,
  wishes_count int, prefer_languages bigint, prefer_cultures int, understanding_count int, not_these uuid[], own uuid[]
);
CREATE TABLE answer (number int, took float8, ids text, scores text);
CREATE PROCEDURE take_times(rounds int, upto int) LANGUAGE plpgsql AS $$
DECLARE r request; started timestamptz; took float8; ids text; scores text;
BEGIN
  TRUNCATE answer;
  FOR round IN 1..rounds LOOP
    FOR r IN SELECT * FROM request WHERE number < upto ORDER BY number LOOP
      started := clock_timestamp();
      SELECT string_agg(ten.id::text, ' '), string_agg(ten.score::text, ' ') INTO ids, scores FROM ten_best(r) ten;
      took := extract(epoch FROM clock_timestamp() - started);
      INSERT INTO answer VALUES (r.number, took, ids, scores);
    END LOOP;
  END LOOP;
END $$;
