'use strict';
/*
 * oref0 behind one JSON line each way: a question on standard input, its answer on standard output.
 *
 *   node adapter.js FOLDER        FOLDER holds node_modules/oref0
 *
 *   {"id": 1, "ask": "hello"}                     -> {"id": 1, "version": "0.7.1", "time_zone": "UTC"}
 *   {"id": 2, "ask": "iob", "case": {…}}          -> {"id": 2, "iob": [{…}, …]}
 *   {"id": 3, "ask": "decide", "case": {…}}       -> {"id": 3, "glucose_status": {…}, "iob": […], "meal_data": {…},
 *                                                     "result": {…}}
 *   what oref0 throws                             -> {"id": 3, "error": "…"}
 *
 * The words of a case are oref0's own; `clock` in a case is now, and no other clock is asked. Where a case has no
 * `meal_data`, oref0 makes it of `carbs`; where it has `preferences` in place of a `profile`, they are laid over
 * oref0's own defaults. Not responsible for limits of a pump, nor for what is told to it.
 */
process.env.TZ = 'UTC'; // the basal profile is looked up in local time
const path = require('path');
const readline = require('readline');

const folder = path.resolve(process.argv[2], 'node_modules', 'oref0');
const answer = process.stdout.write.bind(process.stdout);
// oref0 talks about what it does on both streams: one is the answer's, and nobody reads the other.
for (const name of ['log', 'info', 'warn', 'error']) console[name] = () => {};
process.stderr.write = () => true;

const lastGlucose = require(path.join(folder, 'lib', 'glucose-get-last'));
const insulinOnBoard = require(path.join(folder, 'lib', 'iob'));
const meals = require(path.join(folder, 'lib', 'meal'));
const profiles = require(path.join(folder, 'lib', 'profile'));
const determineBasal = require(path.join(folder, 'lib', 'determine-basal', 'determine-basal'));
const tempBasal = require(path.join(folder, 'lib', 'basal-set-temp'));
const { version } = require(path.join(folder, 'package.json'));

// oref0 writes into what it is given, so each part of it gets a copy of its own.
const copy = (value) => JSON.parse(JSON.stringify(value));

function profileOf(given) {
  return given.profile ? copy(given.profile) : Object.assign(profiles.defaults(), copy(given.preferences));
}

function iobOf(given, history) {
  return insulinOnBoard({ history: copy(history), profile: profileOf(given), clock: given.clock });
}

function mealOf(given) {
  if (given.meal_data) return copy(given.meal_data);
  const profile = profileOf(given);
  return meals({
    history: copy(given.pumphistory),
    carbs: copy(given.carbs),
    profile,
    basalprofile: profile.basalprofile,
    clock: given.clock,
    glucose: copy(given.glucose),
  });
}

function decide(given) {
  const glucoseStatus = lastGlucose(copy(given.glucose));
  const iob = iobOf(given, given.pumphistory);
  const mealData = mealOf(given);
  const result = determineBasal(
    copy(glucoseStatus), copy(given.currenttemp), copy(iob).map(dated), profileOf(given), copy(given.autosens),
    copy(mealData), tempBasal, given.microBolusAllowed, given.reservoir, new Date(given.clock)
  );
  return { glucose_status: glucoseStatus, iob, meal_data: mealData, result };
}

// Times of the table of insulin on board are dates, which a copy turns into text.
function dated(entry) {
  return Object.assign(entry, { time: new Date(entry.time) });
}

const asked = {
  hello: () => ({ version, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone }),
  iob: (question) => ({ iob: iobOf(question.case, question.case.history) }),
  decide: (question) => decide(question.case),
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const question = JSON.parse(line);
  let found;
  try {
    found = asked[question.ask](question);
  } catch (error) {
    found = { error: String(error.message || error) };
  }
  answer(JSON.stringify(Object.assign({ id: question.id }, found)) + '\n');
});
