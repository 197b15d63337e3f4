import { type ComponentType, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { t } from "../text/text";

type Later<P> = ((props: P) => ReactNode) & { preload: () => Promise<void> };

/**
 * A part that is loaded when it is first shown, and shows nothing until then; `preload` has it there before.
 *
 * Where the server is away, or has another build by now, it does not come. Then it fails as a part that is broken does,
 * and trying again asks for it again. With `failed` it shows nothing instead, and is asked for when it is next drawn.
 */
export function later<P extends object>(
  load: () => Promise<ComponentType<P>>,
  failed?: (error: Error, props: P) => void,
): Later<P> {
  let here: ComponentType<P> | null = null;
  const bring = async () => {
    here ??= await load();
    return here;
  };
  function Later(props: P) {
    const [Part, setPart] = useState(() => here);
    const [error, setError] = useState<Error | null>(null);
    const isComing = useRef(false);
    useEffect(() => {
      if (Part !== null || isComing.current) return;
      isComing.current = true;
      bring().then(
        (found) => setPart(() => found),
        (cause: unknown) => {
          isComing.current = false;
          const missing = new Error(t("app.notLoaded"), { cause });
          if (failed) failed(missing, props);
          else setError(missing);
        },
      );
    });
    if (error !== null) throw error;
    return <Suspense fallback={null}>{Part !== null && <Part {...props} />}</Suspense>;
  }
  return Object.assign(Later, { preload: () => bring().then(() => undefined, console.warn) });
}
