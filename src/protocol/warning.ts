// What a plan or a run warns of. The list lies with the plan, which planning may not import from here.
export { planWarning, warningCodes, type PlanWarning, type WarningCode } from '../planning/warning';
