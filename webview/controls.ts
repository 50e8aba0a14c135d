// The page's controls: the only file that knows of the toolkit, which is no longer maintained and may have to be replaced.
import {
  type Button,
  type Checkbox,
  type Dropdown,
  type RadioGroup,
  type TextField,
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeRadio,
  vsCodeRadioGroup,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { element, icon } from './dom';

export type { Button, Checkbox, Dropdown, RadioGroup, TextField };

/** Makes the toolkit's elements known to the page; once, before any of them is made. */
export function registerControls(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeCheckbox(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodeRadio(),
    vsCodeRadioGroup(),
    vsCodeTextField(),
  );
}

export interface ButtonOptions {
  /** `icon`: only the icon is shown, and the label is read out. */
  readonly look?: 'primary' | 'secondary' | 'icon';
  /** Name of a codicon. */
  readonly icon?: string;
}

/** A button; its label can be changed with `setButtonLabel`. */
export function createButton(
  label: string,
  onClick: () => void,
  { look = 'secondary', icon: iconName }: ButtonOptions = {},
): Button {
  const button = document.createElement('vscode-button') as Button;
  button.setAttribute('appearance', look);
  if (look === 'icon') {
    button.append(icon(iconName ?? 'circle'));
  } else {
    if (iconName !== undefined) {
      const start = icon(iconName);
      start.slot = 'start';
      button.append(start);
    }
    // A bare text: the toolkit makes spans as narrow as icons.
    button.append(document.createTextNode(label));
  }
  setButtonLabel(button, label);
  button.addEventListener('click', () => {
    if (!button.disabled) onClick();
  });
  return button;
}

/** Changes what a button says, without making it anew. */
export function setButtonLabel(button: Button, label: string): void {
  const shown = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE);
  if (shown !== undefined) {
    if (shown.textContent !== label) shown.textContent = label;
    return;
  }
  button.ariaLabel = label;
  button.title = label;
}

/** A field for a line of text; `onInput` is called with each change, `onChange` when it is left or Enter is pressed. */
export function createTextField(
  label: string,
  on: { readonly input?: (text: string) => void; readonly change?: (text: string) => void },
): TextField {
  const field = document.createElement('vscode-text-field') as TextField;
  field.append(label);
  field.addEventListener('input', () => on.input?.(field.value));
  field.addEventListener('change', () => on.change?.(field.value));
  return field;
}

/** One of several: `values` are shown in the order given. */
export function createRadioGroup<Value extends string>(
  label: string,
  values: Readonly<Record<Value, string>>,
  onChange: (value: Value) => void,
): RadioGroup {
  const group = document.createElement('vscode-radio-group') as RadioGroup;
  group.append(element('label', { attributes: { slot: 'label' } }, label));
  group.ariaLabel = label;
  const known = Object.keys(values) as Value[];
  for (const value of known) {
    group.append(element('vscode-radio', { attributes: { value } }, values[value]));
  }
  group.addEventListener('change', () => {
    const value = known.find((one) => one === group.value);
    if (value !== undefined) onChange(value);
  });
  return group;
}

/** A choice from a list; `values` maps what is chosen to what is shown. */
export function createDropdown(
  label: string,
  values: Readonly<Record<string, string>>,
  onChange: (value: string) => void,
): Dropdown {
  const dropdown = document.createElement('vscode-dropdown') as Dropdown;
  dropdown.ariaLabel = label;
  for (const [value, text] of Object.entries(values)) {
    dropdown.append(element('vscode-option', { attributes: { value } }, text));
  }
  dropdown.addEventListener('change', () => onChange(dropdown.value));
  return dropdown;
}

/** A box to tick. */
export function createCheckbox(label: string, onChange: (isTicked: boolean) => void): Checkbox {
  const box = document.createElement('vscode-checkbox') as Checkbox;
  box.append(label);
  box.addEventListener('change', () => onChange(box.checked));
  return box;
}
