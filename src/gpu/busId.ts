// One way to write a PCI address, so that what different tools say of one GPU can be brought together.

/**
 * Brings the ways of writing a PCI address to the kernel's own: `00000000:3B:00.0` (nvidia-smi), `3b:00.0` (lspci)
 * and `0000:3b:00.0` are all `0000:3b:00.0`. A domain above ffff keeps its digits. Null for anything else.
 */
export function normaliseBusId(text: string): string | null {
  const match = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])$/i.exec(text.trim());
  if (match === null) return null;
  const [, domain = '0', bus = '', device = '', part = ''] = match;
  const shortDomain = Number.parseInt(domain, 16).toString(16).padStart(4, '0');
  return `${shortDomain}:${bus.padStart(2, '0')}:${device.padStart(2, '0')}.${part}`.toLowerCase();
}
