// Opens a real VS Code in a real browser for an end-to-end test.
import { chromium, type Browser } from 'playwright-core';
import { findChromium } from '../steps.mjs';
import { Editor } from './editor';
import { packagedExtension } from './lane';
import { EditorServer } from './server';
import { themes, type ThemeName } from './themes';

export interface EditorOptions {
  /** Absolute path of the folder to open, or of a `.code-workspace` file. */
  readonly folder?: string;
  readonly workspaceFile?: string;
  /** False opens the window in Restricted Mode (default true). */
  readonly trusted?: boolean;
  /** Changes to this process's environment, such as `{ PATH }`; undefined takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly theme?: ThemeName;
  readonly viewport?: { readonly width: number; readonly height: number };
  /** Path of the .vsix (default: the product's); null installs none. */
  readonly extension?: string | null;
  /** `publisher.name` of that extension; the window counts as open when it is active. */
  readonly extensionId?: string;
}

/** No telemetry, no greetings, nothing that moves by itself or asks the network. */
const quietSettings: Readonly<Record<string, unknown>> = {
  'telemetry.telemetryLevel': 'off',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.layoutControl.enabled': false,
  'workbench.reduceMotion': 'on',
  'workbench.editor.useModal': 'off',
  'window.commandCenter': false,
  'window.autoDetectColorScheme': false,
  'window.autoDetectHighContrast': false,
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': 'off',
  'extensions.ignoreRecommendations': true,
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.banner': 'never',
  'security.workspace.trust.untrustedFiles': 'open',
  'git.enabled': false,
  'npm.autoDetect': 'off',
  'typescript.disableAutomaticTypeAcquisition': true,
  'terminal.integrated.gpuAcceleration': 'off',
  'terminal.integrated.enablePersistentSessions': true,
  'editor.minimap.enabled': false,
};

const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Those that are open now; a failed test tells of them. */
export const openEditors = new Set<Editor>();

/**
 * Starts a server with the extension installed, and a browser on it; resolves when the extension is active.
 * Call `dispose()` at the end, whatever happened.
 * @throws Error where this machine has no editor (ask editorLane first)
 */
export async function openEditor(options: EditorOptions): Promise<Editor> {
  const extension = options.extension === undefined ? packagedExtension() : options.extension;
  const settings = {
    ...quietSettings,
    'workbench.colorTheme': themes[options.theme ?? 'dark'],
    ...options.settings,
  };
  const server = await EditorServer.start({
    extension,
    trusted: options.trusted ?? true,
    environment: options.environment ?? {},
    settings,
  });
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({
      executablePath: findChromium() ?? 'chromium',
      args: chromiumArguments,
      // Ours to end, in dispose().
      handleSIGINT: false,
    });
    const context = await browser.newContext({ viewport: options.viewport ?? { width: 1280, height: 800 } });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const extensionId = extension === null ? null : (options.extensionId ?? 'batch-planner.batch-planner');
    const place = options.workspaceFile ?? options.folder;
    const query =
      place === undefined
        ? 'ew=true'
        : `${options.workspaceFile === undefined ? 'folder' : 'workspace'}=${encodeURIComponent(place)}`;
    const editor = new Editor({
      server,
      browser,
      context,
      extensionId,
      theme: options.theme ?? 'dark',
      url: `${server.url}?${query}`,
      onDisposed: () => openEditors.delete(editor),
    });
    await editor.open();
    openEditors.add(editor);
    return editor;
  } catch (error) {
    await browser?.close();
    await server.dispose();
    throw error;
  }
}
