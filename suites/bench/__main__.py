"""`python -m suites.bench`: prints every benchmark."""

from suites.bench import bench_basal, bench_query

if __name__ == "__main__":
    bench_query.main()
    bench_basal.main()
