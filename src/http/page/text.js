
'use strict';
// Values → words a person reads.

function bytes(n) {
  if (n === null || n === undefined) return '–';
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let i = 0;
  while (n >= 999.5 && i < units.length - 1) { n /= 1000; i++; }
  return (i === 0 || n >= 10 ? Math.round(n) : n.toFixed(1)) + ' ' + units[i];
}

function count(n) {
  return Number(n || 0).toLocaleString('en-US');
}

function age(s) {
  if (s === null || s === undefined) return '–';
  if (s < 1) return 'now';
  if (s < 60) return Math.round(s) + ' s';
  s = Math.round(s);
  if (s < 3600) return two(Math.floor(s / 60), 'min', s % 60, 's');
  if (s < 86400) return two(Math.floor(s / 3600), 'h', Math.floor(s % 3600 / 60), 'min');
  return two(Math.floor(s / 86400), 'd', Math.floor(s % 86400 / 3600), 'h');
}

function two(large, largeUnit, small, smallUnit) {
  return large + ' ' + largeUnit + (small > 0 ? ' ' + small + ' ' + smallUnit : '');
}

function clock(ms) {
  return new Date(ms).toLocaleTimeString('en-GB');
}

function percent(part, whole) {
  return whole > 0 ? Math.max(0, Math.min(100, 100 * part / whole)) : 0;
}

function many(n, one, more) {
  return count(n) + ' ' + (n === 1 ? one : more);
}

// How serious: safe, busy (on its way, within the target) or danger.
function gravity(collection) {
  if (collection.is_over_target || collection.problems.length > 0) return 'danger';
  return collection.pending > 0 ? 'busy' : 'safe';
}

const stateGravity = {
  connected: 'safe', self: 'safe', suspect: 'busy', unreachable: 'danger', dead: 'danger', left: '',
};
