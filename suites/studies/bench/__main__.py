"""`python -m suites.studies.bench`: prints every benchmark."""

from suites.studies.bench import bench_basal, bench_query
from suites.studies.bench.bench_analysis import bench_analysis
from suites.studies.bench.bench_store import bench_store

if __name__ == "__main__":
    bench_query.main()
    print("\n".join(bench_analysis()))
    bench_basal.main()
    print("\n".join(bench_store()))
