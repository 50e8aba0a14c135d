// Which warnings the setup of TensorFlow mends: the editor's page offers it beside them.
import type { PlanWarning } from './warning';

/**
 * True where `setup tensorflow` would give the backend that the plan fell back from, which the warning then says
 * itself. It would not where the script chose another backend.
 */
export function isMendedBySetup({ code, message }: PlanWarning): boolean {
  return code === 'backendFellBack' && message.includes('setup tensorflow');
}
