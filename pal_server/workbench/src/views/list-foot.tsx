import { Button } from "@mantine/core";
import { FILTERS } from "../routes";
import { t } from "../text/text";
import { UNFILTERED, useFilters } from "./filters";
import table from "./table.module.css";

/** What of a query for pages is told below them. */
interface Pages {
  isSuccess: boolean;
  isError: boolean;
  error: Error | null;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  refetch: () => unknown;
  fetchNextPage: () => unknown;
}

interface Props {
  /** How many are shown. */
  count: number;
  /** What is said when there is nothing, and when the filters leave nothing. */
  none: string;
  nothing: string;
  /** The pages it comes in, and what the next one is called; none: all of it is known. */
  pages?: Pages;
  more?: string;
}

/** What stands below a list, or in its place: what failed, that there is nothing, the way to the next page. */
export function ListFoot({ count, none, nothing, pages, more }: Props) {
  const [filters, set] = useFilters();
  const isFiltered = FILTERS.some((name) => filters[name]);
  const isAll = !pages || (pages.isSuccess && !pages.hasNextPage);
  return (
    <>
      {pages?.isError && (
        <div className={table.none} role="alert">
          <p>{pages.error?.message}</p>
          <Button onClick={() => void pages.refetch()}>{t("app.tryAgain")}</Button>
        </div>
      )}
      {isAll && count === 0 && (
        <div className={table.none}>
          <p>{isFiltered ? nothing : none}</p>
          {isFiltered && <Button onClick={() => set(UNFILTERED)}>{t("files.clear")}</Button>}
        </div>
      )}
      {pages?.hasNextPage && (
        <div className={table.more}>
          <Button onClick={() => void pages.fetchNextPage()} loading={pages.isFetchingNextPage}>
            {more}
          </Button>
        </div>
      )}
    </>
  );
}
