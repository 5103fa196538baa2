delete from faults_of_hour where (node_path, hour) in (
    select node_path, hour from faults_of_hour where hour < %(before)s limit %(limit)s
);
