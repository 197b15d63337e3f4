import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Writes `.br` and `.gz` beside each asset, so that the server never compresses. Browsers take br only over TLS or localhost. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir }) {
      const assets = join(dir ?? "dist", "assets");
      for (const name of readdirSync(assets)) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const content = readFileSync(join(assets, name));
        if (content.length < 1024) continue;
        const params = { [constants.BROTLI_PARAM_QUALITY]: 10 };
        writeFileSync(join(assets, `${name}.br`), brotliCompressSync(content, { params }));
        writeFileSync(join(assets, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}

/**
 * Puts what the first paint needs into the page itself, and the link to all other styles behind the frame: a link in the
 * head would keep the frame from being painted until it has come. Scripts still wait for it.
 */
function firstPaint(): Plugin {
  const file = join(import.meta.dirname, "src", "theme", "first.css");
  return {
    name: "first-paint",
    transformIndexHtml: {
      order: "post",
      handler(html) {
        const css = readFileSync(file, "utf-8")
          .replace(/\/\*[\s\S]*?\*\//g, "")
          .replace(/\s+/g, " ");
        const links = /\s*<link rel="stylesheet"[^>]*>/g;
        return {
          html: html
            .replace(links, "")
            .replace("<noscript>", `${(html.match(links) ?? []).join("").trim()}\n    <noscript>`),
          tags: [{ tag: "style", attrs: { nonce: "" }, children: css.trim(), injectTo: "head" }],
        };
      },
    },
  };
}

/** Every browser that runs this client reads woff2; the other two forms of each font of KaTeX would be a megabyte. */
function woff2Alone(): Plugin {
  return {
    name: "woff2-alone",
    enforce: "pre",
    transform(code, id) {
      if (!/katex[^?]*\.css/.test(id)) return null;
      return code.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, "");
    },
  };
}

/** The diff library makes two style elements, without the nonce that the page's policy asks of them. */
function nonced(): Plugin {
  const making = 'document.createElement("style")';
  const files = /@pierre\/diffs\/dist\/utils\/(hostTheme|createUnsafeCSSStyleNode)\.js$/;
  return {
    name: "nonced",
    apply: "build",
    transform(code, id) {
      if (!files.test(id)) return null;
      if (!code.includes(making)) throw new Error(`${id} makes its style element in another way: look at it anew`);
      const nonce = "document.querySelector('meta[name=\"style-nonce\"]')?.content";
      return code.replace(making, `Object.assign(${making}, { nonce: ${nonce} ?? "" })`);
    },
  };
}

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url));

export default defineConfig({
  plugins: [woff2Alone(), nonced(), react(), firstPaint(), compressed()],
  resolve: {
    alias: [
      { find: /^shiki\/langs$/, replacement: source("ui/diff-languages.ts") },
      {
        find: /^(@pierre\/highlights.*|@pierre\/theming\/themes|shiki\/wasm|shiki\/engine\/oniguruma)$/,
        replacement: source("ui/diff-nothing.ts"),
      },
    ],
  },
  build: {
    target: "es2022",
    // `light-dark()` stays as it is: what it would become works only beside the `color-scheme` of the same file, and ours is
    // in the page.
    cssTarget: ["chrome123", "edge123", "firefox120", "safari17.5"],
    modulePreload: { polyfill: false }, // it is an inline script, which the page's policy refuses
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        // What every page needs is one file of libraries, which a new version of ours rarely changes, and one of ours. By
        // themselves they would be forty, each compressed alone and asked for by itself.
        codeSplitting: {
          groups: [
            { name: "libraries", tags: ["$initial"], test: /node_modules/, priority: 1 },
            { name: "pal", tags: ["$initial"] },
          ],
        },
      },
    },
  },
  server: {
    proxy: { "/api": { target: "http://127.0.0.1:4127", ws: true, changeOrigin: true }, "/f": "http://127.0.0.1:4127" },
  },
});
