"""`python -m suites.bench`: prints every benchmark."""

from suites.bench import bench_basal, bench_query
from suites.bench.bench_analysis import bench_analysis

if __name__ == "__main__":
    bench_query.main()
    print("\n".join(bench_analysis()))
    bench_basal.main()
