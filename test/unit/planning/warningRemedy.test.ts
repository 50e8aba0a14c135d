// Which warnings the setup of TensorFlow is offered beside: those whose own words name it.
import { expect, it } from 'vitest';
import { isMendedBySetup } from '../../../src/planning/warningRemedy';
import { setupRemedy } from '../../../src/engine/backends/native';

it.each([
  ['backendFellBack', `TensorFlow runs on the CPU; ${setupRemedy}.`, true],
  ['backendFellBack', 'The script itself changed the TensorFlow.js backend from "wasm" to "cpu".', false],
  ['note', `To get native TensorFlow, ${setupRemedy}.`, false],
] as const)('%s: %s', (code, message, isMended) => {
  expect(isMendedBySetup({ code, message, layers: [] })).toBe(isMended);
});
